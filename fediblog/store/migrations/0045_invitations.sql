-- Links by which somebody gets a login here, or a new password for one: then `login` is whose. `uses` are those left.
create table invitation (
  id integer primary key,
  token text not null unique,
  login integer references login(id) on delete cascade,
  uses integer not null,
  created integer not null,
  expires integer not null
);
create index invitation_login on invitation(login) where login is not null;
