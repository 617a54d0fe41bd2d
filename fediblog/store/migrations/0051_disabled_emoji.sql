-- Custom emoji that are kept and neither offered nor shown.
alter table custom_emoji add column disabled integer not null default 0;
-- Pictures of emoji of other servers, by the address that their server gave, which are not shown here.
create table hidden_emoji (
  url text primary key,
  created integer not null
);
