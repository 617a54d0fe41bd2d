-- Whether a post that was written on the pages waits for some seconds, in which it can be taken back.
alter table preference add column wait integer not null default 1;
