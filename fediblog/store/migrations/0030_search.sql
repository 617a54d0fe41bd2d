-- The words of posts as full-text search knows them (markup/search_words.py), folded and parted by spaces: those of title,
-- warning and text in order, and marks: what the title says (=word) and by what a search may be narrowed (:author and so on).
create table post_words (
  post integer primary key references post(id) on delete cascade,
  words text not null,
  marks text not null
);
-- sqlite: create virtual table post_words_found using fts5(words, marks, content = 'post_words', content_rowid = 'post', detail = 'none', tokenize = "ascii tokenchars '_=:'");
-- sqlite:
create trigger post_words_added after insert on post_words
begin insert into post_words_found (rowid, words, marks) values (new.post, new.words, new.marks); end;
-- sqlite:
create trigger post_words_removed after delete on post_words
begin insert into post_words_found (post_words_found, rowid, words, marks) values ('delete', old.post, old.words, old.marks); end;
-- sqlite:
create trigger post_words_changed after update on post_words
begin insert into post_words_found (post_words_found, rowid, words, marks) values ('delete', old.post, old.words, old.marks); insert into post_words_found (rowid, words, marks) values (new.post, new.words, new.marks); end;
-- postgres: alter table post_words add column found tsvector generated always as (array_to_tsvector(array_remove(string_to_array(words || ' ' || marks, ' '), ''))) stored;
-- postgres: create index post_words_found on post_words using gin (found);
