-- The first schema. Both engines run it: on PostgreSQL `integer` becomes `bigint` and `blob` becomes `bytea`.
-- Times are UTC milliseconds, ids 64-bit and time-sorted, `uri` an ActivityPub id.

create table setting (
  name text primary key,
  value text not null
);

create table login (
  id integer primary key,
  name text not null unique,
  password text not null,
  role text not null default 'member',
  created integer not null,
  disabled integer not null default 0
);

create table session (
  token text primary key,
  login integer not null references login(id) on delete cascade,
  account integer,
  csrf text not null,
  created integer not null,
  seen integer not null,
  expires integer not null,
  agent text not null default ''
);
create index session_expires on session(expires);
create index session_login on session(login);

-- Accounts, ours and everybody else's.
create table account (
  id integer primary key,
  login integer references login(id),
  local integer not null default 0,
  uri text not null unique,
  kind text not null,
  handle text not null,
  handle_key text not null,
  domain text not null,
  host text not null,
  name text not null default '',
  summary text not null default '',
  summary_source text not null default '',
  language text not null default '',
  url text not null default '',
  inbox text not null default '',
  shared_inbox text not null default '',
  outbox text not null default '',
  followers text not null default '',
  following text not null default '',
  featured text not null default '',
  featured_tags text not null default '',
  icon text not null default '',
  icon_alt text not null default '',
  image text not null default '',
  image_alt text not null default '',
  fields text not null default '[]',
  fields_source text not null default '[]',
  emoji text not null default '[]',
  also_known_as text not null default '[]',
  moved_to text not null default '',
  webfinger text not null default '',
  locked integer not null default 0,
  discoverable integer not null default 0,
  indexable integer not null default 0,
  memorial integer not null default 0,
  state text not null default 'active',
  published integer,
  created integer not null,
  changed integer not null,
  fetched integer not null default 0,
  moved_at integer
);
create unique index account_handle on account(handle_key, domain) where local = 1;
create index account_acct on account(handle_key, domain);
create index account_host on account(host);
create index account_login on account(login) where login is not null;
create index account_url on account(url) where url <> '';

create table signing_key (
  uri text primary key,
  account integer not null references account(id) on delete cascade,
  kind text not null,
  public text not null,
  private text,
  created integer not null,
  fetched integer not null default 0
);
create index signing_key_account on signing_key(account);

create table featured_tag (
  account integer not null references account(id) on delete cascade,
  tag text not null,
  name text not null,
  primary key (account, tag)
);

-- Posts, ours and everybody else's.
create table post (
  id integer primary key,
  account integer not null references account(id),
  local integer not null default 0,
  uri text not null unique,
  url text not null default '',
  kind text not null,
  state text not null default 'published',
  visibility text not null,
  title text not null default '',
  slug text not null default '',
  summary text not null default '',
  warning text not null default '',
  content text not null default '',
  source text,
  source_type text not null default '',
  language text not null default '',
  sensitive integer not null default 0,
  in_reply_to text not null default '',
  parent integer,
  root integer,
  context text not null default '',
  conversation text not null default '',
  quote text not null default '',
  to_list text not null default '[]',
  cc_list text not null default '[]',
  emoji text not null default '[]',
  image text not null default '',
  image_alt text not null default '',
  poll text,
  happening text,
  replies_uri text not null default '',
  likes_uri text not null default '',
  shares_uri text not null default '',
  replies_told integer,
  likes_told integer,
  boosts_told integer,
  published integer not null,
  updated integer,
  received integer not null,
  scheduled integer,
  pinned integer,
  month text not null default '',
  cleaner integer not null default 0,
  completed integer
);
create index post_account on post(account, id);
create index post_account_month on post(account, month) where local = 1;
create unique index post_slug on post(account, month, slug) where slug <> '';
create index post_parent on post(parent) where parent is not null;
create index post_root on post(root) where root is not null;
create index post_waiting_parent on post(in_reply_to) where in_reply_to <> '' and parent is null;
create index post_local on post(local, id);
create index post_scheduled on post(scheduled) where state = 'scheduled';
create index post_url on post(url) where url <> '';
create index post_pinned on post(account, pinned) where pinned is not null;

create table mention (
  post integer not null references post(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  name text not null default '',
  silent integer not null default 0,
  primary key (post, account)
);
create index mention_account on mention(account, post);

create table post_tag (
  tag text not null,
  post integer not null references post(id) on delete cascade,
  name text not null,
  primary key (tag, post)
);
create index post_tag_post on post_tag(post);

create table media (
  id integer primary key,
  account integer references account(id),
  media_type text not null,
  file text not null,
  large text not null default '',
  small text not null default '',
  width integer,
  height integer,
  blurhash text not null default '',
  bytes integer not null default 0,
  created integer not null
);
create index media_created on media(created);

create table attachment (
  id integer primary key,
  post integer not null references post(id) on delete cascade,
  position integer not null,
  kind text not null,
  media integer references media(id),
  url text not null,
  preview text not null default '',
  media_type text not null default '',
  alt text not null default '',
  width integer,
  height integer,
  blurhash text not null default '',
  focus_x double precision,
  focus_y double precision,
  duration double precision
);
create index attachment_post on attachment(post, position);
create index attachment_media on attachment(media) where media is not null;

create table revision (
  id integer primary key,
  post integer not null references post(id) on delete cascade,
  title text not null,
  summary text not null,
  warning text not null,
  content text not null,
  source text,
  at integer not null
);
create index revision_post on revision(post, at);

-- What we promised: that a post of somebody else's may quote one of ours (FEP-044f), until it is taken back.
create table quote_authorization (
  id integer primary key,
  post integer not null references post(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  quoting text not null,
  created integer not null,
  revoked integer,
  unique (quoting, post)
);
create index quote_authorization_post on quote_authorization(post, id);
create index quote_authorization_account on quote_authorization(account);

-- Things that were and are no more: no id is used twice, a late Create does not bring one back.
create table tombstone (
  uri text primary key,
  owner text not null,
  kind text not null default '',
  page text not null default '',
  local integer not null default 0,
  at integer not null
);
create index tombstone_at on tombstone(at) where local = 0;
create index tombstone_page on tombstone(page) where page <> '';

-- Who is what to whom.
create table follow (
  follower integer not null references account(id) on delete cascade,
  followed integer not null references account(id) on delete cascade,
  uri text not null,
  state text not null,
  created integer not null,
  primary key (follower, followed)
);
create index follow_followed on follow(followed, state, follower);
create index follow_uri on follow(uri);

create table block (
  account integer not null references account(id) on delete cascade,
  target integer not null references account(id) on delete cascade,
  uri text not null,
  created integer not null,
  primary key (account, target)
);
create index block_target on block(target);

create table mute (
  account integer not null references account(id) on delete cascade,
  target integer not null references account(id) on delete cascade,
  until integer,
  created integer not null,
  primary key (account, target)
);

create table blocked_host (
  host text primary key,
  reason text not null default '',
  created integer not null
);

create table reaction (
  account integer not null references account(id) on delete cascade,
  post integer not null references post(id) on delete cascade,
  kind text not null,
  content text not null default '',
  emoji_url text not null default '',
  uri text not null,
  created integer not null,
  primary key (post, account, kind, content)
);
create index reaction_account on reaction(account, created);
create index reaction_uri on reaction(uri);

create table boost (
  id integer primary key,
  account integer not null references account(id) on delete cascade,
  post integer not null references post(id) on delete cascade,
  uri text not null unique,
  visibility text not null default 'public',
  created integer not null,
  unique (account, post)
);
create index boost_post on boost(post, id);
create index boost_account on boost(account, id);

create table poll_vote (
  post integer not null references post(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  choice text not null,
  uri text not null,
  created integer not null,
  primary key (post, account, choice)
);

-- The home stream of our own accounts: `item` sorts, `boost` says why a post is there if it was passed on.
create table stream (
  account integer not null references account(id) on delete cascade,
  item integer not null,
  post integer not null references post(id) on delete cascade,
  boost integer references boost(id) on delete cascade,
  primary key (account, item)
);
create index stream_post on stream(post);
create index stream_boost on stream(boost) where boost is not null;

create table notice (
  id integer primary key,
  account integer not null references account(id) on delete cascade,
  kind text not null,
  actor integer not null references account(id) on delete cascade,
  post integer references post(id) on delete cascade,
  content text not null default '',
  created integer not null,
  read integer not null default 0
);
create index notice_account on notice(account, id);
create index notice_post on notice(post) where post is not null;
create index notice_same on notice(account, kind, actor);
create index notice_actor on notice(actor);

create table report (
  id integer primary key,
  uri text not null unique,
  reporter integer references account(id),
  target integer not null references account(id),
  posts text not null default '[]',
  content text not null default '',
  created integer not null,
  closed integer
);

-- What goes out. An activity is stored once; a job spreads it into deliveries, one for each distinct inbox.
create table outgoing (
  id integer primary key,
  uri text not null unique,
  account integer not null references account(id),
  kind text not null,
  subject text not null,
  post integer,
  body text not null,
  created integer not null,
  total integer not null default 0,
  reached integer not null default 0,
  failed integer not null default 0
);
create index outgoing_post on outgoing(post) where post is not null;
create index outgoing_account on outgoing(account, id);

create table job (
  id integer primary key,
  kind text not null,
  subject text not null,
  payload text not null default '{}',
  run_at integer not null,
  tries integer not null default 0,
  claimed integer,
  state text not null default 'waiting',
  error text not null default '',
  created integer not null
);
create index job_due on job(state, run_at);
create unique index job_once on job(kind, subject) where state = 'waiting';

create table delivery (
  id integer primary key,
  outgoing integer not null references outgoing(id) on delete cascade,
  account integer not null,
  inbox text not null,
  host text not null,
  subject text not null,
  state text not null default 'waiting',
  tries integer not null default 0,
  status integer,
  error text not null default '',
  created integer not null,
  ended integer
);
create index delivery_host on delivery(host, id) where state = 'waiting';
create index delivery_outgoing on delivery(outgoing, state);
create index delivery_ended on delivery(ended) where ended is not null;

-- What is known of other servers: whether they answer, and what they understand. A host is the unit of delivery:
-- it is leased to one worker at a time, and a failure puts off the whole host, not a message. `pending` says that
-- something waits for it, `turn` (a time) which of those that are due is the first.
create table host (
  name text primary key,
  failures integer not null default 0,
  failing_since integer,
  next_try integer not null default 0,
  leased integer not null default 0,
  pending integer not null default 0,
  turn integer not null default 0,
  unavailable integer,
  scheme text not null default 'cavage',
  software text not null default '',
  last_error text not null default '',
  heard integer not null default 0,
  changed integer not null
);
create index host_due on host(leased, next_try) where pending = 1;
create index host_turn on host(leased, turn) where pending = 1 and failures = 0;

-- What comes in: an activity that could not be done before the answer waits here.
create table incoming (
  id integer primary key,
  uri text not null,
  actor text not null,
  host text not null,
  body text not null,
  inbox_owner integer,
  run_at integer not null,
  tries integer not null default 0,
  claimed integer,
  state text not null default 'waiting',
  error text not null default '',
  created integer not null
);
create index incoming_due on incoming(state, run_at);
create index incoming_host on incoming(host) where state = 'waiting';

create table seen (
  uri text primary key,
  at integer not null
);
create index seen_at on seen(at);

-- An Undo or Delete that came before what it takes back.
create table early (
  uri text not null,
  actor text not null,
  kind text not null,
  at integer not null,
  primary key (uri, actor)
);
create index early_at on early(at);

create table refusal (
  id integer primary key,
  host text not null,
  actor text not null default '',
  kind text not null default '',
  reason text not null,
  detail text not null default '',
  at integer not null,
  times integer not null default 1
);
create index refusal_at on refusal(at);
