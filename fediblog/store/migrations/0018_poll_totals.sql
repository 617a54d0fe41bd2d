-- When the totals of a poll of another server were last asked for, or one of our people voted in it.
create table poll_check (
  post integer primary key references post(id) on delete cascade,
  checked integer not null
);
