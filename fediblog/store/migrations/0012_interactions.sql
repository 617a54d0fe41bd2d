-- Who may like, answer, boost and quote a post of another server, as that one told it (interactionPolicy).
alter table post add column policy text not null default '';

-- What the author of a post elsewhere answered to a like, a boost or an answer of ours: `uri` is the id of that.
create table approval (
  uri text primary key,
  post integer not null references post(id) on delete cascade,
  state text not null,
  proof text not null default '',
  at integer not null
);
create index approval_post on approval(post);

-- Answers by people of other servers of which our author, who does not let everybody answer, says that they may stand.
create table reply_authorization (
  id integer primary key,
  post integer not null references post(id) on delete cascade,
  account integer not null references account(id) on delete cascade,
  replying text not null unique,
  created integer not null
);
create index reply_authorization_post on reply_authorization(post);
create index reply_authorization_account on reply_authorization(account, post);
