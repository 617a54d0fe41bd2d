-- Hosts are kept in the form in which they are compared, which SQL cannot make: `store.engine.host_migration.renew`
-- does, in the same transaction.
-- One row once somebody here was blocked or suspended: until then no list and no total has to look for whom to leave out.
create table shut_out (yes integer primary key);
insert into shut_out (yes) select 1 where exists (select 1 from block) or exists (select 1 from host_mute)
  or exists (select 1 from account where state = 'suspended');
-- sqlite:
create trigger shut_out_block after insert on block when exists (select 1 from account a where a.id = new.account and a.local = 1)
begin insert or ignore into shut_out (yes) values (1); end;
-- sqlite:
create trigger shut_out_host after insert on host_mute
begin insert or ignore into shut_out (yes) values (1); end;
-- sqlite:
create trigger shut_out_account after update of state on account when new.state = 'suspended'
begin insert or ignore into shut_out (yes) values (1); end;
-- postgres:
create function shut_out() returns trigger language plpgsql as
$$ begin insert into shut_out (yes) values (1) on conflict do nothing; return new; end $$;
-- postgres: create trigger shut_out_block after insert on block for each row execute function shut_out();
-- postgres: create trigger shut_out_host after insert on host_mute for each row execute function shut_out();
-- postgres: create trigger shut_out_account after update of state on account for each row when (new.state = 'suspended') execute function shut_out();
