-- GoToSocial accepts an answer, like or boost that did not ask first without an authorization: the Accept is the proof.
alter table approval add column by_accept integer not null default 0;
