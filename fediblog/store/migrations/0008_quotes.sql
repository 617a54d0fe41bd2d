-- A post of another server shows a post of ours only with an authorization that stands. Those that were shown until now
-- and may quote it have one from here on.
insert into quote_authorization (id, post, account, quoting, created)
  select p.id, q.id, p.account, p.uri, p.received from post p join post q on q.uri = p.quote
  where p.local = 0 and p.quote <> '' and p.state = 'published' and q.local = 1 and q.state = 'published'
  and q.visibility in ('public', 'unlisted') and (q.quotable = 'public' or (q.quotable = 'followers' and exists (
    select 1 from follow f where f.follower = p.account and f.followed = q.account and f.state = 'accepted')))
  and not exists (select 1 from block b where b.account = q.account and b.target = p.account)
  on conflict do nothing;
