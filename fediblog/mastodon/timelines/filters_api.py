"""Filters: words and posts that the account would rather not see; version 2, and the older one by single words."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.errors import Invalid, NotFound
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import filter_entity
from fediblog.mastodon.params import Params
from fediblog.mastodon.statuses.statuses_api import find
from fediblog.store.queues import events
from fediblog.store.readers import filters
from fediblog.store.readers.filters import CONTEXTS, Filter, Keyword
from fediblog.store.tx import Tx

API = Table()
READ, WRITE = "read:filters", "write:filters"
ACTIONS = ("warn", "hide", "blur")
LONGEST = 500  # characters of a title or a keyword
LONGEST_TIME = 10 * 365 * 86_400  # seconds


@API.get("/api/v2/filters", scope=READ, gives="Filter[]", tier=1)
async def index(call: Call) -> list[Json]:
    """The account's filters."""
    return [filter_entity.shape(each) for each in await call.read(filters.of_account, call.account)]


@API.get("/api/v2/filters/{id}", scope=READ, gives="Filter")
async def show(call: Call) -> Json:
    """One filter."""
    return filter_entity.shape(await call.read(own, call.account, call.number()))


@API.post("/api/v2/filters", scope=WRITE, gives="Filter")
async def create(call: Call) -> Json:
    """Make a filter, with its keywords in `keywords_attributes[]`."""
    return filter_entity.shape(await call.write(_create, call.account, call.params))


@API.put("/api/v2/filters/{id}", scope=WRITE, gives="Filter")
async def update(call: Call) -> Json:
    """Change a filter; a keyword with an `id` is changed, or taken away by `_destroy`, one without is new."""
    return filter_entity.shape(await call.write(_update, call.account, call.number(), call.params))


@API.delete("/api/v2/filters/{id}", scope=WRITE)
async def remove(call: Call) -> None:
    """Take a filter away."""
    await call.write(_remove, call.account, call.number())


@API.get("/api/v2/filters/{id}/keywords", scope=READ, gives="FilterKeyword[]")
async def keywords(call: Call) -> list[Json]:
    """The keywords of a filter."""
    found = await call.read(own, call.account, call.number())
    return [filter_entity.keyword(each) for each in found.keywords]


@API.post("/api/v2/filters/{id}/keywords", scope=WRITE, gives="FilterKeyword")
async def add_keyword(call: Call) -> Json:
    """Add a keyword to a filter."""
    return filter_entity.keyword(await call.write(_add_keyword, call.account, call.number(), call.params))


@API.get("/api/v2/filters/keywords/{id}", scope=READ, gives="FilterKeyword")
async def show_keyword(call: Call) -> Json:
    """One keyword."""
    return filter_entity.keyword((await call.read(_keyword, call.account, call.number()))[1])


@API.put("/api/v2/filters/keywords/{id}", scope=WRITE, gives="FilterKeyword")
async def change_keyword(call: Call) -> Json:
    """Change a keyword."""
    return filter_entity.keyword(await call.write(_change_keyword, call.account, call.number(), call.params))


@API.delete("/api/v2/filters/keywords/{id}", scope=WRITE)
async def remove_keyword(call: Call) -> None:
    """Take a keyword away."""
    await call.write(_remove_keyword, call.account, call.number())


@API.get("/api/v2/filters/{id}/statuses", scope=READ, gives="FilterStatus[]")
async def entries(call: Call) -> list[Json]:
    """The posts that a filter holds."""
    found = await call.read(own, call.account, call.number())
    return [filter_entity.entry(number, post) for number, post in found.posts]


@API.post("/api/v2/filters/{id}/statuses", scope=WRITE, gives="FilterStatus")
async def add_entry(call: Call) -> Json:
    """Add the post `status_id` to a filter."""
    return await call.write(_add_entry, call.account, call.number(), call.params.number("status_id") or 0)


@API.get("/api/v2/filters/statuses/{id}", scope=READ, gives="FilterStatus")
async def show_entry(call: Call) -> Json:
    """One of the posts that a filter holds."""
    number = call.number()
    return filter_entity.entry(number, await call.read(_entry, call.account, number))


@API.delete(
    "/api/v2/filters/statuses/{id}",
    scope=WRITE,
    gives="FilterStatus",
    note="As Mastodon's documentation has it; Mastodon itself answers with an empty object.",
)
async def remove_entry(call: Call) -> Json:
    """Take a post out of a filter."""
    number = call.number()
    return filter_entity.entry(number, await call.write(_remove_entry, call.account, number))


@API.get("/api/v1/filters", scope=READ, gives="V1Filter[]", tier=3, note="One for each keyword.")
async def old_index(call: Call) -> list[Json]:
    """The keywords of all filters, each as a filter of its own."""
    found = await call.read(filters.of_account, call.account)
    return [filter_entity.old(each, keyword) for each in found for keyword in each.keywords]


@API.get("/api/v1/filters/{id}", scope=READ, gives="V1Filter", tier=3)
async def old_show(call: Call) -> Json:
    """One keyword as a filter of its own."""
    return filter_entity.old(*await call.read(_old, call.account, call.number()))


@API.post("/api/v1/filters", scope=WRITE, gives="V1Filter", tier=3)
async def old_create(call: Call) -> Json:
    """Make a filter of a single phrase."""
    return filter_entity.old(*await call.write(_old_create, call.account, call.params))


@API.put("/api/v1/filters/{id}", scope=WRITE, gives="V1Filter", tier=3)
async def old_update(call: Call) -> Json:
    """Change a phrase, and the filter that it belongs to."""
    return filter_entity.old(*await call.write(_old_update, call.account, call.number(), call.params))


@API.delete("/api/v1/filters/{id}", scope=WRITE, tier=3)
async def old_remove(call: Call) -> None:
    """Take a phrase away, and its filter if it was the last one."""
    await call.write(_old_remove, call.account, call.number())


def own(tx: Tx, account: int, number: int) -> Filter:
    """The account's filter of that number. Raises NotFound."""
    found = filters.get(tx, account, number)
    if found is None:
        raise NotFound()
    return found


def _tell(tx: Tx, account: int) -> None:
    events.publish(tx, events.FILTERS, account=account)


def _blank() -> Filter:
    return Filter(id=0, title="", contexts=(), action="warn", expires=None)


def _create(tx: Tx, account: int, params: Params) -> Filter:
    if filters.total(tx, account) >= filters.MOST:
        raise Invalid("title", "api.too-many-filters", n=filters.MOST)
    number = filters.add(tx, account, *_settings(tx, params, _blank()))
    _put_keywords(tx, own(tx, account, number), params)
    _tell(tx, account)
    return own(tx, account, number)


def _update(tx: Tx, account: int, number: int, params: Params) -> Filter:
    before = own(tx, account, number)
    filters.change(tx, number, *_settings(tx, params, before))
    _put_keywords(tx, before, params)
    _tell(tx, account)
    return own(tx, account, number)


def _remove(tx: Tx, account: int, number: int) -> None:
    if not filters.remove(tx, account, number):
        raise NotFound()
    _tell(tx, account)


def _settings(tx: Tx, params: Params, before: Filter) -> tuple[str, Sequence[str], str, int | None]:
    return (
        _words(params, "title", before.title),
        _contexts(params, before),
        params.choice("filter_action", ACTIONS, before.action),
        _expiry(tx, params, before),
    )


def _words(params: Params, name: str, otherwise: str = "") -> str:
    words = params.text(name, otherwise).strip()
    if not words or len(words) > LONGEST:
        raise Invalid(name, "api.filter-words", name=name, n=LONGEST)
    return words


def _contexts(params: Params, before: Filter) -> Sequence[str]:
    if not params.has("context") and before.contexts:
        return before.contexts
    given = params.texts("context")
    if not given or set(given) - set(CONTEXTS):
        raise Invalid("context", "api.filter-context")
    return [each for each in CONTEXTS if each in given]


def _expiry(tx: Tx, params: Params, before: Filter) -> int | None:
    if not params.has("expires_in"):
        return before.expires
    seconds = params.number("expires_in")
    return tx.now + min(seconds, LONGEST_TIME) * 1000 if seconds else None


def _put_keywords(tx: Tx, found: Filter, params: Params) -> None:
    standing = {each.id: each for each in found.keywords}
    given = params.each("keywords_attributes")
    if len(given) + len(standing) > filters.MOST_KEYWORDS:
        raise Invalid("keywords_attributes", "api.too-many-keywords", n=filters.MOST_KEYWORDS)
    for each in given:
        number = each.number("id")
        if number is None:
            if not each.flag("_destroy"):
                filters.add_keyword(tx, found.id, _words(each, "keyword"), whole_word=each.flag("whole_word", True))
            continue
        if number not in standing:
            raise NotFound()
        if each.flag("_destroy"):
            filters.remove_keyword(tx, number)
        else:
            _set_keyword(tx, standing[number], each)


def _set_keyword(tx: Tx, before: Keyword, params: Params, name: str = "keyword") -> None:
    whole = params.flag("whole_word", before.whole_word)
    filters.change_keyword(tx, before.id, _words(params, name, before.keyword), whole_word=whole)


def _keyword(tx: Tx, account: int, number: int) -> tuple[int, Keyword]:
    found = filters.keyword(tx, account, number)
    if found is None:
        raise NotFound()
    return found


def _add_keyword(tx: Tx, account: int, number: int, params: Params) -> Keyword:
    found = own(tx, account, number)
    if len(found.keywords) >= filters.MOST_KEYWORDS:
        raise Invalid("keyword", "api.too-many-keywords", n=filters.MOST_KEYWORDS)
    whole = params.flag("whole_word", True)
    made = filters.add_keyword(tx, number, _words(params, "keyword"), whole_word=whole)
    _tell(tx, account)
    return _keyword(tx, account, made)[1]


def _change_keyword(tx: Tx, account: int, number: int, params: Params) -> Keyword:
    _set_keyword(tx, _keyword(tx, account, number)[1], params)
    _tell(tx, account)
    return _keyword(tx, account, number)[1]


def _remove_keyword(tx: Tx, account: int, number: int) -> None:
    _keyword(tx, account, number)
    filters.remove_keyword(tx, number)
    _tell(tx, account)


def _entry(tx: Tx, account: int, number: int) -> int:
    found = filters.entry(tx, account, number)
    if found is None:
        raise NotFound()
    return found[0]


def _add_entry(tx: Tx, account: int, number: int, status: int) -> Json:
    found, post = own(tx, account, number), find(tx, status, account).post.id
    if len(found.posts) >= filters.MOST_KEYWORDS:
        raise Invalid("status_id", "api.too-many-keywords", n=filters.MOST_KEYWORDS)
    entry = filters.add_post(tx, number, post)
    _tell(tx, account)
    return filter_entity.entry(entry, post)


def _remove_entry(tx: Tx, account: int, number: int) -> int:
    post = _entry(tx, account, number)
    filters.remove_post(tx, number)
    _tell(tx, account)
    return post


def _old(tx: Tx, account: int, number: int) -> tuple[Filter, Keyword]:
    filter_, keyword = _keyword(tx, account, number)
    return own(tx, account, filter_), keyword


def _old_action(params: Params, before: str) -> str:
    hide = params.maybe_flag("irreversible")
    return before if hide is None else "hide" if hide else "warn"


def _old_create(tx: Tx, account: int, params: Params) -> tuple[Filter, Keyword]:
    if filters.total(tx, account) >= filters.MOST:
        raise Invalid("phrase", "api.too-many-filters", n=filters.MOST)
    phrase, action = _words(params, "phrase"), _old_action(params, "warn")
    made = filters.add(tx, account, phrase, _contexts(params, _blank()), action, _expiry(tx, params, _blank()))
    number = filters.add_keyword(tx, made, phrase, whole_word=params.flag("whole_word", True))
    _tell(tx, account)
    return _old(tx, account, number)


def _old_update(tx: Tx, account: int, number: int, params: Params) -> tuple[Filter, Keyword]:
    before, keyword = _old(tx, account, number)
    contexts, action = _contexts(params, before), _old_action(params, before.action)
    filters.change(tx, before.id, before.title, contexts, action, _expiry(tx, params, before))
    _set_keyword(tx, keyword, params, "phrase")
    _tell(tx, account)
    return _old(tx, account, number)


def _old_remove(tx: Tx, account: int, number: int) -> None:
    before, _ = _old(tx, account, number)
    if len(before.keywords) + len(before.posts) <= 1:
        filters.remove(tx, account, before.id)
    else:
        filters.remove_keyword(tx, number)
    _tell(tx, account)
