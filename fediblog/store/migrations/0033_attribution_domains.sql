-- Web sites that may name an account as the author of their pages: a JSON list of host names.
alter table account add column attribution_domains text not null default '[]';
