-- Hosts are kept in the form in which they are compared, which SQL cannot make: `store.hostnames.renew` does, in the
-- same transaction. And whether anybody is suspended is asked with every total.
create index account_suspended on account(id) where state = 'suspended';
