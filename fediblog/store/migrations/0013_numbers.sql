-- Apps written in JavaScript read the numbers of notices and of push subscriptions as floating point, which has whole
-- numbers up to 2^53: they are counted from 1 for each account. The counter's row is locked until the transaction is
-- committed, so that they rise in the order in which they can be seen. What apps remember of before is translated.
create table numbering (
  account integer primary key references account(id) on delete cascade,
  notices integer not null default 0,
  subscriptions integer not null default 0
);
create table former_notice (
  account integer not null references account(id) on delete cascade,
  former integer not null,
  id integer not null,
  primary key (account, former)
);
insert into former_notice (account, former, id)
  select account, id, row_number() over (partition by account order by id) from notice;
insert into numbering (account, notices, subscriptions)
  select a.id, coalesce((select max(f.id) from former_notice f where f.account = a.id), 0),
  (select count(*) from push_subscription p where p.account = a.id) from account a where a.local = 1
  or exists (select 1 from former_notice f where f.account = a.id);
update marker set last_read = coalesce((select max(f.id) from former_notice f where f.account = marker.account
  and f.former <= marker.last_read), 0) where timeline = 'notifications';
update event set item = (select f.id from former_notice f where f.account = event.account and f.former = event.item)
  where kind = 'notice' and exists (select 1 from former_notice f where f.account = event.account
  and f.former = event.item);
update job set subject = (select p.token || '/' || f.id from push_subscription p join former_notice f
  on f.account = p.account where p.id || '/' || f.former = job.subject) where kind = 'push' and exists (select 1
  from push_subscription p join former_notice f on f.account = p.account where p.id || '/' || f.former = job.subject);

-- sqlite:
create table new_notice (
  id integer not null,
  account integer not null references account(id) on delete cascade,
  kind text not null,
  actor integer not null references account(id) on delete cascade,
  post integer references post(id) on delete cascade,
  content text not null default '',
  created integer not null,
  read integer not null default 0,
  filtered integer not null default 0,
  primary key (account, id)
) without rowid;
-- sqlite: insert into new_notice (id, account, kind, actor, post, content, created, read, filtered) select f.id, n.account, n.kind, n.actor, n.post, n.content, n.created, n.read, n.filtered from notice n join former_notice f on f.account = n.account and f.former = n.id;
-- sqlite: drop table notice;
-- sqlite: alter table new_notice rename to notice;
-- sqlite: create index notice_post on notice(post) where post is not null;
-- sqlite: create index notice_same on notice(actor, account, kind);
-- sqlite: create index notice_filtered on notice(account, actor, id) where filtered = 1;
-- sqlite: create trigger notice_numbered after insert on notice begin update numbering set notices = max(notices, new.id) where account = new.account; end;
-- postgres: alter table notice drop constraint notice_pkey;
-- postgres: update notice set id = f.id from former_notice f where f.account = notice.account and f.former = notice.id;
-- postgres: drop index notice_account;
-- postgres: alter table notice add primary key (account, id);

create table new_push_subscription (
  token integer primary key references token(id) on delete cascade,
  id integer not null,
  account integer not null references account(id) on delete cascade,
  endpoint text not null,
  key text not null,
  secret text not null,
  standard integer not null default 1,
  alerts text not null default '{}',
  policy text not null default 'all',
  sealed text not null default '',
  created integer not null
);
insert into new_push_subscription (token, id, account, endpoint, key, secret, standard, alerts, policy, sealed, created)
  select token, row_number() over (partition by account order by id), account, endpoint, key, secret, standard, alerts,
  policy, sealed, created from push_subscription;
drop table push_subscription;
alter table new_push_subscription rename to push_subscription;
create unique index push_subscription_account on push_subscription(account, id);
