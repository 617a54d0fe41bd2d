-- The activity that a host answered with an error, while it has answered no other since: one such is the fault of the
-- message, a second one that of the host.
alter table host add column suspect integer;
