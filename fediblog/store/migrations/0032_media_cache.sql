-- Pictures and files of other servers of which a copy is kept here, in the shapes that pages need. Nothing filled the old table.
-- `state`: wanted (it is to be fetched from `due` on), kept, failed (it may be asked for again from `due` on).
-- `owner`: for whom it was last wanted, as `a`, `p` or `s` (account, post or page) and the number.
-- `host`: of the address, as hosts are compared. Times in ms.
drop table remote_media;
create table remote_media (
  id integer primary key,
  url text not null,
  shape text not null,
  host text not null,
  owner text not null,
  state text not null default 'wanted',
  failures integer not null default 0,
  due integer not null,
  file text not null default '',
  small text not null default '',
  media_type text not null default '',
  bytes integer not null default 0,
  used integer not null
);
create unique index remote_media_url on remote_media(url, shape);
create index remote_media_due on remote_media(state, due);
create index remote_media_used on remote_media(used, bytes);
-- Whether no copy of it can be kept: then a link to it is shown.
alter table attachment add column unkept integer not null default 0;
