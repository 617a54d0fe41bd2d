-- Passkeys (WebAuthn): `credential` is the id by which a browser names one, `data` the attested credential data with its
-- public key, both in base64url; `signs` is the counter of its signatures, by which a copy is noticed.
create table passkey (
  id integer primary key,
  login integer not null references login(id) on delete cascade,
  credential text not null unique,
  data text not null,
  signs integer not null,
  name text not null,
  created integer not null,
  used integer
);
create index passkey_login on passkey(login);

-- What a passkey is asked to sign: once, within minutes, in the browser or session of that hash.
create table passkey_challenge (
  token text primary key,
  challenge text not null,
  expires integer not null
);
create index passkey_challenge_expires on passkey_challenge(expires);
