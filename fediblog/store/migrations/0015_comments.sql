-- The answers to a post are counted by their index alone, without reading a row of them; so are those of a thread.
drop index post_root;
drop index post_parent;
create index post_root on post(root, id, state, visibility, parent) where root is not null;
create index post_parent on post(parent, id, state, visibility) where parent is not null;
