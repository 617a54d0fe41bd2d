-- The host of an inbox that lies on another host than its account; '' where both are the same.
alter table account add column inbox_host text not null default '';
create index account_inbox_host on account(inbox_host) where inbox_host <> '';
