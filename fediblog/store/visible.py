"""Who may see a post, in SQL: the same as `domain.rules.may_see`, for lists.

A `cross join` is done from left to right by SQLite: most people hide no server, and then the account is not looked up.

VISIBLE and VISIBLE_IN_LISTS let through what is withheld as well, for who may see it: lists ask for
`p.state = 'published'` beside it.
KNOWN asks less: of what is open also whom its author blocks knows, and of a post of another server we cannot tell who
may see it there.

The fragments need `post p` and `:viewer` (0: anybody); NOT_EXCLUDED needs `:now` as well. The two about boosts need
`boost b`.
"""

from __future__ import annotations


def at_host(host: str, account: str) -> str:
    """SQL for whether an account is of a host, at any port: `host` is a column or parameter, `account` an alias."""
    start = f"substr({{}}, 1, length({host}) + 1) = {host} || ':'"
    return (
        f"({host} in ({account}.domain, {account}.host) or {start.format(f'{account}.domain')}"
        f" or {start.format(f'{account}.host')})"
    )


def has_page(named: str, account: str) -> str:
    """SQL for whether :page is the web page of an account or a post, and may stand for it.

    It may where it lies on the host of the id, else anybody could be found at any address. `named` is the alias of the
    row with the `url`, `account` that of its account, on whose host the ids of its posts lie too. :page_host is the
    host of :page (`accounts.host_of`).
    """
    host = f"{account}.host || ''"  # so that no engine begins with the accounts of a host, instead of the page's index
    return f"({named}.url = :page and {named}.url <> '' and {host} = :page_host)"


OPEN_TO_ALL = "('public', 'unlisted')"
"""The visibilities of what everybody may see who has the address: `domain.documents.OPEN` in SQL."""


def not_limited(account: str) -> str:
    """SQL for whether this server shows an account, an alias, to the viewer unasked: it is not limited, or followed."""
    return f"""({account}.limited = 0 or exists (
      select 1 from follow lf
      where lf.follower = :viewer and lf.followed = {account}.id and lf.state = 'accepted'))"""


def _visible(author: str) -> str:
    return f"""(
  (p.account = :viewer and p.state <> 'deleted')
  or ((p.state = 'published' or (p.state in ('held', 'spam', 'hidden')
      and exists (select 1 from post vr where vr.id = p.root and vr.account = :viewer)))
    and exists (select 1 from account va where va.id = p.account and {author})
    and not exists (select 1 from block vb where vb.account = p.account and vb.target = :viewer)
    and (p.visibility in {OPEN_TO_ALL}
      or exists (select 1 from mention vm where vm.post = p.id and vm.account = :viewer)
      or (p.visibility = 'followers' and exists (
        select 1 from follow vf
        where vf.follower = :viewer and vf.followed = p.account and vf.state = 'accepted')))))"""


VISIBLE = _visible("va.state = 'active'")
VISIBLE_IN_LISTS = _visible(f"va.state = 'active' and {not_limited('va')}")
"""The same for lists in which posts of many people meet: what a limited account wrote stands there for its followers
and itself, and elsewhere is found by its address, in its profile and in letters."""

KNOWN = f"""(
  p.local = 0
  or (p.state = 'published' and p.visibility in {OPEN_TO_ALL}
    and exists (select 1 from account ka where ka.id = p.account and ka.state = 'active'))
  or {VISIBLE})"""

# Whoever does not want to be found (Mastodon: `discoverable`), or is limited, is not shown by lists of the whole
# server. One list of the few, made once for each question.
LISTED = """p.account not in (select la.id from account la
  where la.login is not null and la.local = 1 and (la.discoverable = 0 or la.limited <> 0))"""

# Of whoever here does not want posts to be searched (Mastodon: `indexable`), only the author finds them, whom they
# mention or came to, and who liked, boosted or bookmarked them.
SEARCHABLE = """(p.account not in (
    select xa.id from account xa where xa.login is not null and xa.local = 1 and xa.indexable = 0)
  or (:viewer <> 0 and (p.account = :viewer
    or exists (select 1 from stream xs where xs.account = :viewer and xs.post = p.id)
    or exists (select 1 from mention xm where xm.post = p.id and xm.account = :viewer)
    or exists (select 1 from reaction xr where xr.post = p.id and xr.account = :viewer)
    or exists (select 1 from boost xb where xb.account = :viewer and xb.post = p.id)
    or exists (select 1 from bookmark xk where xk.account = :viewer and xk.post = p.id))))"""

NOT_WARNED = "(p.warning = '' and (p.kind in ('Article', 'Page', 'Event') or p.summary = ''))"
"""Whether a post has no content warning: `previews.warning` in SQL. What is listed of texts asks for it."""

# What of ours everybody finds, whoever looks: for totals, and lists that are the same for all.
OURS_FOR_ALL = f"""(p.local = 1 and p.state = 'published' and p.visibility = 'public' and {LISTED}
  and exists (select 1 from account oa where oa.id = p.account and oa.state = 'active'))"""


def not_excluded(who: str) -> str:
    """SQL for whether the viewer has neither blocked nor muted the account `who`, nor hidden its server."""
    return f"""(
  not exists (select 1 from block sb where sb.account = :viewer and sb.target = {who})
  and not exists (select 1 from mute sm where sm.account = :viewer and sm.target = {who}
    and (sm.until is null or sm.until > :now))
  and not exists (select 1 from host_mute sh cross join account sa where sh.account = :viewer
    and sa.id = {who} and {at_host("sh.host", "sa")}))"""


NOT_EXCLUDED = not_excluded("p.account")
BOOSTER_NOT_EXCLUDED = not_excluded("b.account")

# Triggers put a row there with the first block or suspension; until then nobody has to be looked for.
BLOCKED_BY_NOBODY = "not exists (select 1 from shut_out)"


def shut_out(who: str, post: str) -> str:
    """SQL for whether the account `who` is blocked, or its server, by our author of `post` or of its thread's first.

    The opposite of `domain.rules.shown_below` for who is active; both are names of the query around it.
    """
    author = f"ro.id in ({post}.id, {post}.root) and ro.local = 1"
    return f"""(
  exists (select 1 from post ro join block rb on rb.account = ro.account and rb.target = {who} where {author})
  or exists (select 1 from post ro join host_mute rh on rh.account = ro.account cross join account ra where {author}
    and ra.id = {who} and {at_host("rh.host", "ra")}))"""


def shown_below(who: str, post: str) -> str:
    """SQL for whether what an active account did with `post`, or wrote in it, is shown below (`rules.shown_below`)."""
    return f"({BLOCKED_BY_NOBODY} or not {shut_out(who, post)})"


SHOWN_BELOW = shown_below("p.account", "p")

BOOST_VISIBLE = f"""(
  b.account = :viewer
  or (exists (select 1 from account ba where ba.id = b.account and ba.state = 'active')
    and not exists (select 1 from block bb where bb.account = b.account and bb.target = :viewer)
    and (b.visibility in {OPEN_TO_ALL}
      or (b.visibility = 'followers' and exists (
        select 1 from follow bf
        where bf.follower = :viewer and bf.followed = b.account and bf.state = 'accepted')))))"""
