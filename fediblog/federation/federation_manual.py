"""FEDERATION.md (FEP-67ff), written from the tables: `python -m fediblog.federation.federation_manual > FEDERATION.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from fediblog.domain.urls import Urls
from fediblog.federation.jobs import JOBS
from fediblog.inbox import HANDLERS
from fediblog.protocol.nodeinfo import VERSIONS

# What an activity that comes in does. The key is a verb, or a verb and the type that it acts upon.
RECEIVED: dict[str, str] = {
    "Follow": "Answered with Accept (the whole Follow in it), every time but for a copy within a minute; a locked account"
    " asks its owner first. Of who is blocked, or to an account that has moved: Reject.",
    "Accept Follow": "Our Follow stands. Found by its id, or by the actor of an embedded Follow; only from the one who is followed.",
    "Accept QuoteRequest": "Our post may quote (FEP-044f). Believed from the author of what it quotes alone, whose server must be that of the "
    "authorization in `result`; followers get an Update with `quoteAuthorization`.",
    "Accept": "As an Accept of a Follow or a QuoteRequest, named by its id; or of a like, a boost or an answer of ours, by the author of the "
    "post that it is about alone: the authorization in `result` then stands in our answer as `replyAuthorization` and `approvedBy`; "
    "without a `result` the id of the Accept does so, in `approvedBy` alone.",
    "Reject Follow": "Our Follow is refused; after an Accept: we were removed as a follower.",
    "Reject QuoteRequest": "Our post may not quote, or not any more: it goes on without what it quoted, in an Update.",
    "Reject": "As a Reject of a Follow or a QuoteRequest, named by its id; or of a like or a boost of ours, which is then gone, or of an "
    "answer, whose author is notified.",
    "Block": "Ends the follows between the two.",
    "Undo Follow": "The follower is gone.",
    "Undo Accept": "Our Follow does not stand any more.",
    "Undo Block": "The block is lifted.",
    "Undo Like": "The like is taken back; with an emoji, that emoji alone.",
    "Undo EmojiReact": "The emoji is taken back.",
    "Undo Dislike": "The dislike is taken back.",
    "Undo Announce": "The boost is taken back.",
    "Undo": "Named by its id alone: whichever of these it was. If the thing comes later, it is not taken in.",
    "Create": "Stored if its author is followed here, or if it answers or mentions somebody here or belongs to a thread of ours. "
    "An embedded object counts only if its id and its author are the sender's; else it is fetched from its origin. "
    "A Note whose name is an option of the poll of ours that it answers is a vote, whatever its content; any other is an answer. An answer below a post of ours whose author lets only "
    "followers comment, or nobody (`interactionPolicy.canReply`), is refused with 403, unless its author is named in the post. "
    "An answer to a post of ours that its author may not see is taken in as if that post were not there: nobody is told of an answer, no vote counts. "
    "An answer that came first takes its place below the post if it might come then.",
    "Update": "Newer than what is stored: replaced, the earlier text is kept, unless it was for fewer than the new one. With the same `updated`: only poll and totals, and a quote that is gone or has an authorization now.",
    "Update actor": "The profile and the keys are renewed. The object must be the sender itself.",
    "Delete": "The post, or the actor and all it wrote, is gone for good, also if it comes later. Of what its sender may not see: as of what is not there. "
    "About an actor that is not known here: answered with 202, nothing is fetched.",
    "Delete QuoteAuthorization": "By its author alone: our post goes on without what it quoted, in an Update; one of another server shows a link from then on.",
    "Delete ReplyAuthorization": "By its author alone: like a Reject of what it let stand.",
    "Delete LikeAuthorization": "By its author alone: like a Reject of what it let stand.",
    "Delete AnnounceAuthorization": "By its author alone: like a Reject of what it let stand.",
    "Like": "Counted once for each actor, however many emoji. With `content` or `_misskey_reaction` it is an emoji.",
    "EmojiReact": "An emoji beside the face of who set it; the person counts as one who likes the post. What is neither one emoji "
    "nor a name between colons is refused.",
    "Dislike": "Kept, not shown.",
    "Announce": "The post is fetched from its origin if it is not known, and shown as passed on.",
    "Announce Create": "A group passes on a post (FEP-1b12): fetched from its origin. Whom it answers or names is notified.",
    "Announce Update": "A group passes on an edit: fetched from its origin.",
    "Announce Delete": "A group says that a post is gone: believed if its origin says so (404, 410, a Tombstone), or if group, inner id and author are of one origin and a `Group` signed.",
    "Announce Like": "A group passes on a like: fetched from its origin; where that does not serve it, a `Group` is believed for people and ids of its own origin.",
    "Announce EmojiReact": "As a Like.",
    "Announce Dislike": "As a Like.",
    "Announce Undo": "As a Like that is taken back.",
    "Add": "A pinned post (fetched if it was never delivered here) or a hashtag on the profile; the target must be the actor's own "
    "`featured`.",
    "Remove": "The other way round.",
    "Move": "Believed if the target, fetched at that moment, names the old actor in `alsoKnownAs`, once in seven days; "
    "our people who followed the old one then follow the new one.",
    "Flag": "A report for the owner of the server.",
    "ReplyRequest": "Asks whether the post `instrument`, which must be the sender's own, may stand below a post of ours: taken in and answered with "
    "Accept and the id of a ReplyAuthorization as `result` if our author lets the sender answer; else Reject.",
    "LikeRequest": "Asks whether the Like `instrument` of a post of ours, which must be the sender's own, may stand: taken in and "
    "answered with Accept and the id of a LikeAuthorization as `result` if the sender may see our post; else Reject. What `instrument` names "
    "by its id alone is fetched.",
    "AnnounceRequest": "The same for a boost, if everybody may see our post, with an AnnounceAuthorization.",
    "QuoteRequest": "Asks whether the post `instrument`, which must be the sender's own, may quote a post of ours (FEP-044f). Granted with "
    "Accept and the id of the authorization as `result` if everybody may see our post and its author lets the sender quote it; "
    "else Reject. A post that quotes ours without asking is given an authorization by the same rule when it comes; without one that "
    "stands it is shown with a link in place of our post.",
}

# What goes out, and when.
SENT: dict[str, str] = {
    "Create": "A post is published. To the followers' shared inboxes and to those mentioned; private posts to personal inboxes only. "
    "One that got a date of the past goes to nobody, and its Update and Delete only to servers that had to do with it.",
    "Update": "A post was edited (`updated` is set), perhaps with another `url` (the earlier address leads on, the id stays), a poll got votes (it is not), a profile or key changed, or an account"
    " was suspended (`suspended`) or is not any more.",
    "Delete": "A post (a Tombstone) or an account (its id) is gone; goes to all servers that had to do with it. "
    "Until an account's Deletes are delivered, a day at most, its id still answers with its key; then with 410. "
    "Of a QuoteAuthorization or ReplyAuthorization: the author does not want that post to quote, or to stand below one of theirs, any more.",
    "Follow": "With a fresh id each time. One that is refused for good, or cannot be delivered for a week, is no request any more.",
    "Accept": "The whole Follow is in it, or the QuoteRequest, ReplyRequest, LikeRequest or AnnounceRequest with the id of the authorization as `result`. Also of an answer "
    "(its id) below a post whose `interactionPolicy.canReply` is not for everybody, unasked.",
    "Reject": "Of a request, or of a follower who is removed.",
    "QuoteRequest": "A post of ours quotes one of another server that carries `interactionPolicy.canQuote`: to its author, with the whole post as `instrument`. The post goes out "
    "at once, with `quote`, `quoteUri`, `_misskey_quote` and an object link (FEP-e232), and with a paragraph of the class "
    "`quote-inline` for servers that know none of these; `quoteAuthorization` follows in an Update. What is not answered stays so, "
    "and our own page shows a link alone.",
    "Undo": "What is undone is in it. Also of a boost that the author of the post rejects.",
    "Like": "To the author, with `content` and `_misskey_reaction` if it is an emoji, which replaces an earlier one. A 403 takes it back.",
    "Announce": "A boost: to the followers and to the author.",
    "Block": "To the one who is blocked.",
    "Flag": "A report, to the account that it is about, if who made it wants that. In the name of the server, not of who"
    " made it; `object` holds the account first, then posts of it.",
    "Add": "A post is pinned to the profile.",
    "Remove": "It is taken down again.",
    "Move": "To the followers, after the new account has named the old one.",
}

STANDARDS = (
    """
- [ActivityPub](https://www.w3.org/TR/activitypub/) (server to server), [WebFinger](https://www.rfc-editor.org/rfc/rfc7033)
- [HTTP Signatures](https://swicg.github.io/activitypub-http-signature/) (draft-cavage-12, `rsa-sha256` and `hs2019`)
  and [RFC 9421](https://www.rfc-editor.org/rfc/rfc9421) (`rsa-v1_5-sha256`, `ed25519`), both for what comes in; what goes out is signed
  by the first, and once more by the second where a server answers 400 or 401; what it understood is remembered;
  WebFinger and host-meta are asked unsigned
- [NodeInfo](https://nodeinfo.diaspora.software/) """
    + " and ".join(VERSIONS)
    + """, host-meta (XML and JSON); the NodeInfo of servers that we deal with is read at most once a day, unsigned
- `rel="me"`: links in the fields of our profiles (`PropertyValue`) carry it, and those whose page links back are verified here each week,
  unsigned; fields of other servers are not. The headline and the sections of a profile page are sent to nobody

## Supported FEPs

- [FEP-67ff](https://w3id.org/fep/67ff): FEDERATION.md
- [FEP-f1d5](https://w3id.org/fep/f1d5): NodeInfo
- [FEP-2c59](https://w3id.org/fep/2c59): `webfinger` of an actor
- [FEP-521a](https://w3id.org/fep/521a): public keys as `assertionMethod` (Ed25519)
- [FEP-8b32](https://w3id.org/fep/8b32): `eddsa-jcs-2022` proofs are verified
- [FEP-b2b8](https://w3id.org/fep/b2b8): long-form text with `preview`. `summary` of an `Article` is what its author wrote, without
  elements, and absent otherwise; the beginning of the text stands in the `preview`, unless there is a content warning (`dcterms:subject`).
  Pictures in the text stand in `attachment`, too. A picture with a caption is a `figure` with `figcaption`; the `content` of `image`
  is the caption of the picture above the text
- [FEP-f228](https://w3id.org/fep/f228): threads have a `context` collection
- [FEP-c0e0](https://w3id.org/fep/c0e0): emoji reactions are read, and sent as a `Like` with `content`
- [FEP-1b12](https://w3id.org/fep/1b12): what groups pass on is read
- [FEP-7888](https://w3id.org/fep/7888): `context` is kept as it is told
- [FEP-8fcf](https://w3id.org/fep/8fcf): what is for followers only carries a signed `Collection-Synchronization`; where one that comes in
  differs from what is known here, the list is fetched ten minutes later and the follows are set right
- [FEP-044f](https://w3id.org/fep/044f): quotes are shown, every post says who may quote it, and authorizations are asked for, given,
  served and taken back. A post of another server that quotes a third one is shown with it if `canQuote` of that lets everybody, or
  names nobody at all and the quote has no `quote` (Misskey's and others know no authorizations), or one quotes oneself; else only with
  a `quoteAuthorization` of the quoted author's own origin, which is fetched in the background and must say so; without, it is a link
- [FEP-e232](https://w3id.org/fep/e232): object links, for quotes

## Not supported, on purpose

- Linked Data signatures are neither made nor believed: what somebody else's key carries is fetched from its origin.
- A `url` is a link for people and proves nothing. It names an account or a post (in a pasted address, `inReplyTo`, a search) only
  where it lies on the host of the id; any other page is asked itself for its ActivityPub form. An actor's `url` on another host
  counts as none, as with Mastodon, and the id is linked instead; that of a post stays a link.
- Categories are the blog's own order: no document names them, and to file a post elsewhere sends nothing. What the author means for others
  to find is a hashtag (the plugin of WordPress sends tags and leaves categories out in the same way).
- JSON-LD is read as plain JSON. Documents with `@graph`, `@included` or `@reverse` are refused.
- Answers are not forwarded to the followers of whom they answer (ActivityPub §7.1.2): without a proof by their author nobody should
  believe them. The `replies` and `context` collections of a post name all of them, and our own server completes threads by such.
"""
)


def page() -> str:
    """The whole page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    urls = Urls("https://blog.example", "blog.example")
    yield "# Federation"
    yield "\nfediblog's posts are Notes, Articles and Questions. This page is written from the program's own tables."
    yield "\n## Supported protocols and standards"
    yield STANDARDS.rstrip()
    yield "\n## Addresses\n\n| what | where |\n|---|---|"
    yield f"| account | `{urls.actor(1)}`, page `{urls.profile('ann')}` |"
    yield f"| post | `{urls.post(2)}`, page `{urls.page('ann', 2)}`; article `{urls.page('ann', 2, '2026/11', 'some-title')}` |"
    yield f"| thread | `{urls.context(2)}` |"
    yield f"| Create of a post, boost, like | `{urls.activity(2)}`: found by whoever may see the post |"
    yield f"| every other activity | `{urls.transient_activity(urls.actor(1), 5)}`: only sent, so its id leads to its actor and tells nothing of it |"
    yield f"| proof that a post may be quoted | `{urls.authorization(3)}` |"
    yield f"| proof that an answer, a like or a boost may stand | `{urls.reply_authorization(4)}` |"
    yield f"| the server itself | `{urls.instance_actor}`: signs fetches that nobody in particular asks for |"
    yield f"| shared inbox | `{urls.shared_inbox}` |"
    yield "\nPage and document lead to each other; both addresses answer to `Accept`. What is deleted answers 410 with a Tombstone."
    yield "\n## What comes in\n\n| verb | of | what it does |\n|---|---|---|"
    for verb, kinds, text in received_rows():
        yield f"| {verb} | {kinds} | {text} |"
    yield "\nUnknown verbs are answered with 202 and dropped. An inbox answers 202 once the activity is stored, 400 to what is no"
    yield "activity, 401 to a signature that cannot be read or does not verify (so that the other scheme is tried), 403 to who is"
    yield "blocked, 413 above 1 MB, 415 to a content type other than `application/activity+json` and `application/ld+json` with the"
    yield "profile of ActivityStreams, or to a compressed body, 503 with `Retry-After` when too much waits; errors are JSON with `error` and `reason`."
    yield "\n## What goes out\n\n| verb | when and to whom |\n|---|---|"
    for verb, text in SENT.items():
        yield f"| {verb} | {text} |"
    yield "\nDeliveries are tried after 1, 5 and 15 minutes, 1, 3 and 8 hours, then daily for a week; a failure puts off the whole"
    yield "server. 4xx other than 408, 425 and 429 is final, 410 on an inbox removes followers once their ids are gone as well."
    yield f"\nBesides deliveries the worker knows these jobs: {', '.join(f'`{name}`' for name in sorted(JOBS))}."


def received_rows() -> Iterator[tuple[str, str, str]]:
    """(verb, types it acts upon, what it does), one for each handler and text of the table."""
    rows: dict[tuple[str, str], list[str]] = {}
    for (verb, kind), handler in HANDLERS.items():
        text = RECEIVED.get(f"{verb} {kind}") or RECEIVED[verb]
        if verb == "Update" and handler is HANDLERS["Update", "Person"]:
            text = RECEIVED["Update actor"]
        rows.setdefault((verb, text), []).append(kind or "(an id)")
    for (verb, text), kinds in rows.items():
        yield verb, ", ".join(kinds), text


if __name__ == "__main__":
    sys.stdout.write(page())
