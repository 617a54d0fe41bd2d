-- The web origin under which an account of ours has its id and its pages; '' for accounts of others. Its id says it.
alter table account add column origin text not null default '';
update account set origin = substr(uri, 1, length(uri) - length(case when login is null then '/actor' else '/a/' || id end))
where local = 1;

-- Who belongs to a group of ours (an account of kind Group), as what, since when, and until when, such as a ban that ends.
create table group_member (
  group_account integer not null references account(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  role text not null default 'member',
  state text not null default 'joined',
  since integer not null,
  until integer,
  primary key (group_account, account)
);
create index group_member_account on group_member(account);
