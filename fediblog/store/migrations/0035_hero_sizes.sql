-- The picture above a post: a smaller copy of one of ours, and its pixels where they are known.
alter table post add column image_preview text not null default '';
alter table post add column image_width integer;
alter table post add column image_height integer;
update post set
  image_preview = case when m.small = '' then '' else substr(post.image, 1, length(post.image) - length(m.shown)) || m.small end,
  image_width = cast(round(m.width * m.scale) as integer),
  image_height = cast(round(m.height * m.scale) as integer)
from (
  select account, small, width, height, case when large = '' then file else large end as shown,
    case when large = '' then 1.0 when width > height then 1280.0 / width else 1280.0 / height end as scale
  from media where file <> '' and width > 0 and height > 0
) as m
where post.local = 1 and post.image <> '' and m.account = post.account
  and substr(post.image, length(post.image) - length(m.shown)) = '/' || m.shown;
