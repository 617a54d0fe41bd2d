-- What is told below the picture above a post.
alter table post add column image_caption text not null default '';
