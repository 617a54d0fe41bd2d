-- What other servers run, by their NodeInfo: asked for by a job, at most once a day. `answered` is when one last told;
-- `due` when it may be asked again.
create table peer (
  host text primary key,
  software text not null default '',
  version text not null default '',
  answered integer,
  failures integer not null default 0,
  due integer not null default 0
);
create index peer_due on peer(due);
insert into peer (host) select host from account where local = 0 and host <> '' union select name from host where name <> '';
alter table host drop column software;
