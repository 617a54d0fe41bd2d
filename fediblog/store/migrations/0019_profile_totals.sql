-- What the server of an account elsewhere says of its followers, of whom it follows, and of its posts; null: nothing.
create table profile_totals (
  account integer primary key references account(id) on delete cascade,
  followers integer,
  following integer,
  posts integer,
  checked integer not null
);
