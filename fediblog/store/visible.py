"""Who may see a post, in SQL: the same as `domain.rules.may_see`, for lists.

The fragments need `post p` and `:viewer` (0: anybody); NOT_SHUNNED needs `:now` as well.
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

NOT_SHUNNED = """(
  not exists (select 1 from block sb where sb.account = :viewer and sb.target = p.account)
  and not exists (select 1 from mute sm where sm.account = :viewer and sm.target = p.account
    and (sm.until is null or sm.until > :now)))"""
