-- What somebody is writing, as it was typed last, until it is saved, published or thrown away.
create table autosave (
  account integer not null references account(id) on delete cascade,
  mark text not null,    -- names the page on which it is typed
  about text not null,   -- "new", or what it does to which post: "edit 5", "reply 5", "quote 5"
  words text not null,   -- its title, or with what it begins
  fields text not null,  -- of the form: [[name, value], …]
  changed integer not null,
  primary key (account, mark)
);
