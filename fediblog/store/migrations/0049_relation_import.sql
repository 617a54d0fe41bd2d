-- Files of relations, as Mastodon writes them, that our people have brought: a job goes through their lines.
create table relation_import (
  id integer primary key,
  account integer not null references account(id) on delete cascade,
  kind text not null,        -- of `prepare.relation_csv.FILES`
  file text not null,        -- what it was called
  looks_like text not null,  -- the kind that its name or headings speak of; empty if neither does
  overwrite integer not null,
  total integer not null,    -- lines
  asked integer not null,
  begun integer,             -- null until what ends by it was agreed to
  cleared integer,           -- once everything was ended that is not in the file, if that is to be
  ended integer
);
create index relation_import_of on relation_import (account, id);
create table relation_import_line (
  import integer not null references relation_import(id) on delete cascade,
  number integer not null,          -- in the file, from 1
  cells text not null,              -- a JSON array
  name text not null,               -- what it is about, as relations are compared
  turn integer not null,            -- how many before it are about the same server
  tries integer not null default 0,
  due integer not null default 0,   -- ms: not before
  problem text not null default '', -- why it cannot be used, as a packed message; empty while it waits
  primary key (import, number)
);
create index relation_import_line_named on relation_import_line (import, name);
create index relation_import_line_waiting on relation_import_line (import, turn, number) where problem = '';
