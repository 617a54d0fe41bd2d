-- Apps send profiles as plain text: which of `summary_source` (1) and the fields (2, 4, ...) are that, and not Markdown.
alter table account add column plain integer not null default 0;
