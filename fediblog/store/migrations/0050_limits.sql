-- What this server lets fewer people see of an account, which can still act: `limited` is 1 by a decision about the account, 2 by
-- one about its server, 3 by both. `media_rejected`: no picture of it is fetched or shown. `host_suspended`: it is suspended
-- because of its server alone, so it is active again as soon as its server is heard.
alter table account add column limited integer not null default 0;
alter table account add column media_rejected integer not null default 0;
alter table account add column host_suspended integer not null default 0;
-- What is done about a server: suspend (nothing is taken from it), silence (its accounts are limited) or noop (neither).
alter table blocked_host add column severity text not null default 'suspend';
alter table blocked_host add column reject_media integer not null default 0;
alter table blocked_host add column reject_reports integer not null default 0;
-- Servers that are heard while the setting `allow_list` stands, and all names below them; while it does, no others are.
create table allowed_host (
  host text primary key,
  created integer not null
);
update account set host_suspended = 1 where local = 0 and state = 'suspended'
  and exists (select 1 from blocked_host b
    where '.' || account.host || ':' like '%.' || replace(b.host, '_', '!_') || ':%' escape '!'
    or '.' || account.domain || ':' like '%.' || replace(b.host, '_', '!_') || ':%' escape '!'
    or '.' || account.inbox_host || ':' like '%.' || replace(b.host, '_', '!_') || ':%' escape '!')
  and not exists (select 1 from moderation_log l where l.target = account.id and l.action = 'suspend');
-- Until now nobody was limited, so nobody has chosen to hear of those who are.
update notice_policy set limited_accounts = 'filter' where limited_accounts = 'accept';
-- sqlite:
create trigger shut_out_limited after update of limited on account when new.limited <> 0
begin insert or ignore into shut_out (yes) values (1); end;
-- sqlite:
create trigger shut_out_limited_new after insert on account when new.limited <> 0
begin insert or ignore into shut_out (yes) values (1); end;
-- postgres: create trigger shut_out_limited after insert or update of limited on account for each row when (new.limited <> 0) execute function shut_out();
