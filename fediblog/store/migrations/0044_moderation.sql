-- What those who look after the server decided, and about whom or what in words (a handle, a host, an address).
-- `target` is the account that it was about, by number, and `reason` what that one is told. `undo` is a JSON list of what
-- can be taken back. The accounts and the report may be gone.
create table moderation_log (
  id integer primary key,
  account integer not null,
  action text not null,
  subject text not null default '',
  target integer,
  reason text not null default '',
  report integer,
  undo text not null default '[]',
  undone integer,
  created integer not null
);
create index moderation_log_target on moderation_log(target, action) where target is not null;
create index moderation_log_report on moderation_log(report) where report is not null;
create index report_open on report(id) where closed is null;
