-- For each post that is stored, SQLite made a table of the three states that the condition of this index named.
drop index post_withheld;
-- A question uses it that says both of its conditions in these words, beside the states that it wants.
create index post_withheld on post(state, root, id) where state <> 'published' and state <> 'deleted';
