-- What a login asks for beside its password.

-- An authenticator app: its secret is made of that of the server and the nonce, so that who reads the database can make
-- no codes. `step` is the number of the last code that was used: each counts once.
create table authenticator (
  login integer primary key references login(id) on delete cascade,
  nonce text not null,
  step integer not null
);

-- Hashes of codes for who has lost the rest; a code that was used has no row any more.
create table recovery_code (
  login integer not null references login(id) on delete cascade,
  code text not null,
  primary key (login, code)
);

-- Log-ins in which the password was right and the rest is still to come, under the hash of what the browser holds.
-- `mark` tells of which password that was.
create table half_login (
  token text primary key,
  login integer not null references login(id) on delete cascade,
  mark text not null,
  expires integer not null
);
create index half_login_expires on half_login(expires);
