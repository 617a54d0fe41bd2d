-- How long an article of ours takes to read, in minutes; 0 where that is not known.
alter table post add column reading_time integer not null default 0;
