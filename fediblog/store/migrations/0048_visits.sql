-- How often the page of a post of ours was opened on a day (UTC), by visitors of whom nothing else is known.
create table visit (
  post integer not null references post(id) on delete cascade,
  day integer not null,
  times integer not null,
  primary key (post, day)
);
create index visit_day on visit(day);

-- Who may comment on new posts of an account: public, followers or nobody.
alter table preference add column comments text not null default 'public';
