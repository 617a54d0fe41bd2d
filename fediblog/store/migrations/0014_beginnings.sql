-- When what an account of another server had pinned and written before it was met was asked for; null: not yet.
alter table account add column begun integer;
