-- Who wrote something here without being an actor: a guest, a visitor who signed in with OpenID (`subject` is the issuer and
-- the subject there), or the source of a Webmention. `mail` and `subject` are shown to nobody.
create table guest (
  id integer primary key,
  door text not null,
  name text not null default '',
  url text not null default '',
  picture text not null default '',
  mail text not null default '',
  subject text not null default '',
  state text not null default 'active',
  created integer not null
);
create unique index guest_subject on guest(subject) where subject <> '';
-- Then `account` is who answers for it on the network.
alter table post add column guest integer references guest(id);
create index post_guest on post(guest) where guest is not null;
-- Who held, hid or let pass a post, and when (ms); the account may be gone.
alter table post add column judged_by integer;
alter table post add column judged_at integer;
create index post_withheld on post(state, root, id) where state in ('held', 'spam', 'hidden');

-- People to whom one often writes. The audience of a post is in `mention`; this says what it was chosen as.
create table circle (
  id integer primary key,
  account integer not null references account(id) on delete cascade,
  name text not null,
  created integer not null
);
create unique index circle_name on circle(account, name);
create table circle_member (
  circle integer not null references circle(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  primary key (circle, account)
);
create index circle_member_account on circle_member(account);
create table post_circle (
  post integer not null references post(id) on delete cascade,
  circle integer not null references circle(id) on delete cascade,
  primary key (post, circle)
);
create index post_circle_circle on post_circle(circle);

-- Pictures and files of other servers of which a copy is kept; `file` is its name here, `used` when it was last shown.
create table remote_media (
  id integer primary key,
  url text not null unique,
  file text not null default '',
  media_type text not null default '',
  bytes integer not null default 0,
  width integer,
  height integer,
  fetched integer not null,
  used integer not null
);
create index remote_media_used on remote_media(used);
