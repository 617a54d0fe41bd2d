-- As what a browser logged in that had not logged in before (its User-Agent), until the session has been told of it.
alter table session add column news text not null default '';
