-- What authors deleted and may want back, for themselves alone: as JSON the draft of which it could be made again.
create table trash (
  id integer primary key,
  account integer not null references account(id) on delete cascade,
  words text not null,       -- its title, its warning, or with what it begins
  visibility text not null,  -- for whom it was
  draft text not null,
  deleted integer not null
);
create index trash_account on trash(account, id);
create index trash_deleted on trash(deleted);

-- Copies of the pictures of what is in the trash, under names that nobody has seen.
alter table media add column trash integer references trash(id) on delete cascade;
create index media_trash on media(trash) where trash is not null;

-- Whether what an account deletes is kept there.
alter table preference add column trash integer not null default 1;
