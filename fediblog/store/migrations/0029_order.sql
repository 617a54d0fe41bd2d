-- What the owner files posts under: a tree.
create table category (
  id integer primary key,
  parent integer references category(id),
  name text not null,
  slug text not null unique,
  description text not null default '',
  created integer not null
);
create index category_parent on category(parent) where parent is not null;
create table post_category (
  category integer not null references category(id) on delete cascade,
  post integer not null references post(id) on delete cascade,
  primary key (category, post)
);
create index post_category_post on post_category(post);

-- Pages that stand by themselves, such as an imprint; `role` is about, imprint, privacy, terms or other.
create table page (
  id integer primary key,
  slug text not null unique,
  role text not null default 'other',
  state text not null default 'draft',
  title text not null,
  source text not null,
  content text not null,
  language text not null default '',
  created integer not null,
  updated integer not null
);

-- Addresses that were changed. Each leads on to what has another one now, and is given to nothing else until that is gone.
create table former_post_slug (
  account integer not null references account(id) on delete cascade,
  month text not null,
  slug text not null,
  post integer not null references post(id) on delete cascade,
  primary key (account, month, slug)
);
create index former_post_slug_post on former_post_slug(post);
create table former_category_slug (
  slug text primary key,
  category integer not null references category(id) on delete cascade
);
create index former_category_slug_category on former_category_slug(category);
create table former_page_slug (
  slug text primary key,
  page integer not null references page(id) on delete cascade
);
create index former_page_slug_page on former_page_slug(page);

create index post_month on post(month, id) where local = 1;
