-- The language in which somebody who has signed in sees the pages; '' for what the browser asks for.
alter table login add column language text not null default '';
