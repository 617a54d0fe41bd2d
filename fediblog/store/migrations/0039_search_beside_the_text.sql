-- Full-text search also knows what pictures show, the answers of polls and the names of categories: what has some of
-- these is indexed anew, by a job.
delete from post_words where post in (
  select post from attachment where alt <> ''
  union select post from post_category
  union select id from post where poll is not null or image_alt <> '' or image_caption <> ''
);
