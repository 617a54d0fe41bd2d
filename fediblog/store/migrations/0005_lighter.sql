-- Each index is another page to be written for whatever comes in. What is of use to our own posts alone leaves others'
-- out, two indexes that begin alike become one, and the times of events are in their numbers already.
drop index post_local;
create index post_local on post(local, id) where local = 1;
drop index post_account;
drop index post_open;
create index post_account on post(account, id, state, visibility, published);
drop index notice_same;
drop index notice_actor;
create index notice_same on notice(actor, account, kind);
drop index event_at;

-- On SQLite a table whose key is not a number is written twice, unless it is kept in the order of that key.
-- sqlite:
create table new_mention (
  post integer not null references post(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  name text not null default '',
  silent integer not null default 0,
  primary key (post, account)
) without rowid;
-- sqlite: insert into new_mention (post, account, name, silent) select post, account, name, silent from mention;
-- sqlite: drop table mention;
-- sqlite: alter table new_mention rename to mention;
-- sqlite: create index mention_account on mention(account, post);
-- sqlite:
create table new_seen (
  uri text primary key,
  at integer not null
) without rowid;
-- sqlite: insert into new_seen (uri, at) select uri, at from seen order by uri;
-- sqlite: drop table seen;
-- sqlite: alter table new_seen rename to seen;
-- sqlite: create index seen_at on seen(at);

-- A number that is another one after each change of an account, whatever changes it: what was made of the row before
-- can be used again, and the row need not be read for that.
-- sqlite: alter table account add column version integer not null default 0;
-- sqlite: update account set version = random();
-- sqlite:
create trigger account_made after insert on account
begin update account set version = random() where id = new.id; end;
-- sqlite:
create trigger account_changed after update on account
begin update account set version = random() where id = new.id; end;
-- postgres: alter table account add column version bigint not null default (random() * 9007199254740991)::bigint;
-- postgres:
create function account_changed() returns trigger language plpgsql as
$$ begin new.version := (random() * 9007199254740991)::bigint; return new; end $$;
-- postgres: create trigger account_changed before update on account for each row execute function account_changed();
