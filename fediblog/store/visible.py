"""Who may see a post, in SQL: the same as `domain.rules.may_see`, for lists.

A `cross join` is done from left to right by SQLite: most people hide no server, and then the account is not looked up.

The fragments need `post p` and `:viewer` (0: anybody); NOT_SHUNNED needs `:now` as well. The two about boosts need
`boost b`.
"""

from __future__ import annotations

VISIBLE = """(
  (p.account = :viewer and p.state <> 'deleted')
  or (p.state = 'published'
    and exists (select 1 from account va where va.id = p.account and va.state = 'active')
    and not exists (select 1 from block vb where vb.account = p.account and vb.target = :viewer)
    and (p.visibility in ('public', 'unlisted')
      or exists (select 1 from mention vm where vm.post = p.id and vm.account = :viewer)
      or (p.visibility = 'followers' and exists (
        select 1 from follow vf
        where vf.follower = :viewer and vf.followed = p.account and vf.state = 'accepted')))))"""

# Whoever does not want to be found is not shown by lists of the whole server (Mastodon: `discoverable`). One list of
# the few, made once for each question.
LISTED = """p.account not in (
  select la.id from account la where la.login is not null and la.local = 1 and la.discoverable = 0)"""

NOT_SHUNNED = """(
  not exists (select 1 from block sb where sb.account = :viewer and sb.target = p.account)
  and not exists (select 1 from mute sm where sm.account = :viewer and sm.target = p.account
    and (sm.until is null or sm.until > :now))
  and not exists (select 1 from host_mute sh cross join account sa where sh.account = :viewer
    and sa.id = p.account and sh.host in (sa.domain, sa.host)))"""

BOOST_VISIBLE = """(
  b.account = :viewer
  or (exists (select 1 from account ba where ba.id = b.account and ba.state = 'active')
    and not exists (select 1 from block bb where bb.account = b.account and bb.target = :viewer)
    and (b.visibility in ('public', 'unlisted')
      or (b.visibility = 'followers' and exists (
        select 1 from follow bf
        where bf.follower = :viewer and bf.followed = b.account and bf.state = 'accepted')))))"""

BOOSTER_NOT_SHUNNED = """(
  not exists (select 1 from block tb where tb.account = :viewer and tb.target = b.account)
  and not exists (select 1 from mute tm where tm.account = :viewer and tm.target = b.account
    and (tm.until is null or tm.until > :now))
  and not exists (select 1 from host_mute th cross join account ta where th.account = :viewer
    and ta.id = b.account and th.host in (ta.domain, ta.host)))"""
