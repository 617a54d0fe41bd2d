-- What an account takes with it: the file that a job made last, in the folder of exports, until it is swept.
create table account_export (
  account integer primary key references account(id) on delete cascade,
  asked integer not null,
  file text not null default '',  -- empty while it is being made
  bytes integer not null default 0,
  made integer
);
