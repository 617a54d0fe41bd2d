-- What apps need: who may use which account through which program, and what readers keep for themselves.

-- A program that asked to be known here, and what it was given. Secrets, codes and tokens are kept as hashes alone.
create table app (
  id integer primary key,
  client text not null unique,
  secret text not null,
  name text not null,
  website text not null default '',
  redirects text not null,
  scopes text not null,
  created integer not null
);
create index app_created on app(created);

create table app_code (
  code text primary key,
  app integer not null references app(id) on delete cascade,
  login integer not null references login(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  scopes text not null,
  redirect text not null,
  challenge text not null default '',
  expires integer not null,
  used integer
);
create index app_code_expires on app_code(expires);

-- A token without an account is an app's own. One without an app was made on the command line.
create table token (
  id integer primary key,
  token text not null unique,
  app integer references app(id) on delete cascade,
  login integer references login(id) on delete cascade,
  account integer references account(id) on delete cascade,
  code text,
  name text not null default '',
  scopes text not null,
  created integer not null,
  used integer
);
create index token_account on token(account) where account is not null;
create index token_app on token(app) where app is not null;
create index token_login on token(login) where login is not null;
create index token_code on token(code) where code is not null;

create table push_subscription (
  token integer primary key references token(id) on delete cascade,
  id integer not null unique,
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
create index push_subscription_account on push_subscription(account);

-- What one reader keeps, hides, sorts and has read.
create table bookmark (
  account integer not null references account(id) on delete cascade,
  post integer not null references post(id) on delete cascade,
  id integer not null,
  primary key (account, post)
);
create index bookmark_order on bookmark(account, id);
create index bookmark_post on bookmark(post);

create table marker (
  account integer not null references account(id) on delete cascade,
  timeline text not null,
  last_read integer not null,
  version integer not null default 1,
  updated integer not null,
  primary key (account, timeline)
);

create table user_list (
  id integer primary key,
  account integer not null references account(id) on delete cascade,
  title text not null,
  replies text not null default 'list',
  exclusive integer not null default 0
);
create index user_list_account on user_list(account, id);

create table list_member (
  list integer not null references user_list(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  primary key (list, account)
);
create index list_member_account on list_member(account);

create table word_filter (
  id integer primary key,
  account integer not null references account(id) on delete cascade,
  title text not null,
  contexts text not null,
  action text not null default 'warn',
  expires integer
);
create index word_filter_account on word_filter(account, id);

create table filter_keyword (
  id integer primary key,
  filter integer not null references word_filter(id) on delete cascade,
  keyword text not null,
  whole_word integer not null default 0
);
create index filter_keyword_filter on filter_keyword(filter, id);

create table filter_post (
  id integer primary key,
  filter integer not null references word_filter(id) on delete cascade,
  post integer not null references post(id) on delete cascade,
  unique (filter, post)
);
create index filter_post_post on filter_post(post);

create table followed_tag (
  account integer not null references account(id) on delete cascade,
  tag text not null,
  name text not null,
  id integer not null,
  primary key (account, tag)
);
create index followed_tag_tag on followed_tag(tag);

create table account_note (
  account integer not null references account(id) on delete cascade,
  target integer not null references account(id) on delete cascade,
  comment text not null,
  primary key (account, target)
);
create index account_note_target on account_note(target);

create table endorsement (
  account integer not null references account(id) on delete cascade,
  target integer not null references account(id) on delete cascade,
  id integer not null,
  primary key (account, target)
);
create index endorsement_target on endorsement(target);

create table thread_mute (
  account integer not null references account(id) on delete cascade,
  root integer not null references post(id) on delete cascade,
  primary key (account, root)
);
create index thread_mute_root on thread_mute(root);

create table host_mute (
  account integer not null references account(id) on delete cascade,
  host text not null,
  id integer not null,
  primary key (account, host)
);

create table suggestion_dismissed (
  account integer not null references account(id) on delete cascade,
  target integer not null references account(id) on delete cascade,
  primary key (account, target)
);
create index suggestion_dismissed_target on suggestion_dismissed(target);

-- What new posts of the account are like where its app says nothing.
create table preference (
  account integer primary key references account(id) on delete cascade,
  visibility text not null default 'public',
  sensitive integer not null default 0,
  quotes text not null default 'public'
);

-- How a follow is meant: whether boosts are shown, whether each post is told, which languages are wanted.
alter table follow add column reblogs integer not null default 1;
alter table follow add column notify integer not null default 0;
alter table follow add column languages text not null default '';
alter table mute add column notices integer not null default 1;
create index follow_made on follow(follower, state, created);
create index followed_made on follow(followed, state, created);
create index follow_notify on follow(followed) where notify = 1;

-- What a report is about, whether the other server was told, who looks into it, and which rules are meant.
alter table report add column category text not null default 'other';
alter table report add column forwarded integer not null default 0;
alter table report add column rules text not null default '[]';
alter table report add column assigned integer references account(id) on delete set null;
alter table report add column closed_by integer references account(id) on delete set null;
create index report_assigned on report(assigned) where assigned is not null;
create index report_closed_by on report(closed_by) where closed_by is not null;

-- Private posts by thread, as one participant sees them: the last one, and whether it was read.
create table conversation (
  account integer not null references account(id) on delete cascade,
  root integer not null,
  id integer not null,
  last_post integer not null references post(id) on delete cascade,
  unread integer not null default 0,
  primary key (account, root)
);
create index conversation_order on conversation(account, last_post);
create index conversation_post on conversation(last_post);

-- Notices of people whom the account would rather hear first what they want.
create table notice_policy (
  account integer primary key references account(id) on delete cascade,
  not_following text not null default 'accept',
  not_followers text not null default 'accept',
  new_accounts text not null default 'accept',
  private_mentions text not null default 'accept',
  limited_accounts text not null default 'accept'
);
create table notice_consent (
  account integer not null references account(id) on delete cascade,
  actor integer not null references account(id) on delete cascade,
  primary key (account, actor)
);
create index notice_consent_actor on notice_consent(actor);
alter table notice add column filtered integer not null default 0;
create index notice_filtered on notice(account, actor, id) where filtered = 1;

-- A request that was answered already, by the key that its app gave it.
create table idempotency (
  token integer not null references token(id) on delete cascade,
  key text not null,
  result integer not null,
  at integer not null,
  primary key (token, key)
);
create index idempotency_at on idempotency(at);

create table announcement (
  id integer primary key,
  content text not null,
  source text not null,
  starts integer,
  ends integer,
  created integer not null,
  updated integer not null
);
create table announcement_read (
  announcement integer not null references announcement(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  primary key (announcement, account)
);
create index announcement_read_account on announcement_read(account);

create table custom_emoji (
  name text primary key,
  media integer not null references media(id),
  category text not null default '',
  created integer not null
);

-- Which pages posts point to, for the timeline of a link and for what is talked about.
create table post_link (
  link text not null,
  post integer not null references post(id) on delete cascade,
  primary key (link, post)
);
create index post_link_post on post_link(post);

-- What is said about an upload before it goes with a post, and with what a post of ours was written.
alter table media add column alt text not null default '';
alter table media add column focus_x double precision;
alter table media add column focus_y double precision;
alter table media add column problem text not null default '';
alter table post add column app_name text not null default '';
alter table post add column app_website text not null default '';

-- Who may quote a post of ours, and who may answer it: public, followers or nobody.
alter table post add column quotable text not null default 'public';
alter table post add column repliable text not null default 'public';

-- What we asked of those whom posts of ours quote (FEP-044f): pending, accepted, rejected or revoked. `author` is whom,
-- `approval` the id of the authorization.
create table quote_request (
  post integer primary key references post(id) on delete cascade,
  uri text not null unique,
  author text not null,
  state text not null default 'pending',
  approval text not null default ''
);
create index quote_request_approval on quote_request(approval) where approval <> '';

-- What has just happened, for those who listen: kept for minutes.
create table event (
  id integer primary key,
  kind text not null,
  account integer not null default 0,
  post integer not null default 0,
  item integer not null default 0,
  detail text not null default '',
  at integer not null
);
create index event_at on event(at);

-- How many posts somebody has, which stands beside every name.
create index post_open on post(account, published, state, visibility)
  where state = 'published' and visibility in ('public', 'unlisted');
