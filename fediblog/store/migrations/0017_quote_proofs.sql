-- Posts of other servers that quote in the way of FEP-044f, and the authorization that they name, if any: `state` is
-- waiting, accepted, rejected or revoked, and `author` whose authorization it is. A post that is not here knows no
-- authorizations.
create table quote_proof (
  post integer primary key references post(id) on delete cascade,
  quoted text not null,
  proof text not null default '',
  author text not null default '',
  state text not null
);
create index quote_proof_proof on quote_proof(proof);
