-- Which logins may act as which accounts of ours: its owner, one for each, and who writes for it. `account.login` is
-- that owner, so that lists tell people's accounts from the server's own actor without a look here.
create table account_access (
  login integer not null references login(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  role text not null,
  created integer not null,
  primary key (login, account)
);
create index account_access_account on account_access(account);
create unique index account_access_owner on account_access(account) where role = 'owner';
insert into account_access (login, account, role, created)
select login, id, 'owner', created from account where login is not null;
