-- Files of copies are compared with their rows one part of the folder after another.
create index remote_media_file on remote_media(substr(file, 1, 2));
create index remote_media_small on remote_media(substr(small, 1, 2));
-- What could not be kept and is not remembered any more may be asked for again.
update attachment set unkept = 0
where unkept = 1 and not exists (select 1 from remote_media r where r.url = attachment.url);
