-- Likes and boosts that were asked for have an authorization as answers have; what its author took back stays so.
alter table reply_authorization add column kind text not null default 'Reply';
alter table reply_authorization add column revoked integer;
create index approval_proof on approval(proof);
