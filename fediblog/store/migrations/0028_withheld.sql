-- For each post that is stored, SQLite made a table of the three states that the condition of this index named.
drop index post_withheld;
create index post_withheld on post(state, root, id) where state <> 'published' and state <> 'deleted';
