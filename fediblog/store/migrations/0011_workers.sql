-- Whose claim it is, where several processes work on one database: one that is gone has its claims taken back at once.
alter table host add column worker integer;
alter table job add column worker integer;
alter table incoming add column worker integer;
