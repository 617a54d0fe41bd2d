// The Fedify side: which documents are served at which path, and what is done with failures.
import { createFederation, InProcessMessageQueue, MemoryKvStore } from "@fedify/fedify";
import { Activity, Create, Note } from "@fedify/fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

import { creation, document, person } from "./documents.mjs";
import { listener } from "./reception.mjs";

const RETRIES = 3;

const failure = (error) => ({
  error: String(error?.message ?? error),
  inbox: error?.inbox?.href ?? null,
  status: error?.statusCode ?? null,
  reply: error?.responseBody ?? null,
});

/** Whether the one who signed this request may see the post. */
async function maySee(ctx, account, post, secure) {
  const open = post.visibility === "public" || post.visibility === "unlisted";
  if (open && !secure) return true;
  const reader = (await ctx.getSignedKeyOwner())?.id?.href;
  if (reader == null) return false;
  if (open || post.mentions.some((one) => one.href === reader)) return true;
  return post.visibility === "followers" && account.followers.get(reader)?.state === "accepted";
}

function serveCollections(federation, account) {
  federation
    .setFollowersDispatcher("/users/{identifier}/followers", () => ({ items: account.audience() }))
    .setCounter(() => account.audience().length);
  federation
    .setFollowingDispatcher("/users/{identifier}/following", () => ({
      items: account.accepted(account.following).map((uri) => new URL(uri)),
    }))
    .setCounter(() => account.accepted(account.following).length);
  const open = () =>
    [...account.notes.values()].filter((post) => !post.deleted && post.visibility === "public").reverse();
  federation
    .setOutboxDispatcher("/users/{identifier}/outbox", (ctx, _, cursor) => {
      const start = Number(cursor);
      const items = open()
        .slice(start, start + 10)
        .map((post) => creation(ctx, account, post));
      return { items, nextCursor: open().length > start + 10 ? String(start + 10) : null };
    })
    .setFirstCursor(() => "0")
    .setCounter(() => open().length);
}

function serveNotes(federation, account, secure) {
  const find = ({ number }) => {
    const post = account.notes.get(number);
    return post && !post.deleted ? post : null;
  };
  const allow = async (ctx, values) => {
    const post = find(values);
    return post === null || (await maySee(ctx, account, post, secure));
  };
  const serve = (write) => (ctx, values) => {
    const post = find(values);
    return post && write(ctx, account, post);
  };
  federation.setObjectDispatcher(Note, "/notes/{number}", serve(document)).authorize(allow);
  federation.setObjectDispatcher(Create, "/notes/{number}/activity", serve(creation)).authorize(allow);
}

/** A Fedify federation for one account. Delivery is tried a few times within a second, so that a test sees its end. */
export function build({ account, journal, origin, firstKnock, secure }) {
  const federation = createFederation({
    kv: new MemoryKvStore(),
    queue: {
      inbox: new InProcessMessageQueue(),
      outbox: new InProcessMessageQueue(),
      fanout: new InProcessMessageQueue(),
    },
    origin,
    firstKnock,
    allowPrivateAddress: true, // the lab is on loopback
    circuitBreaker: false, // one failing test must not silence the next
    outboxRetryPolicy: ({ attempts }) =>
      attempts < RETRIES ? Temporal.Duration.from({ milliseconds: 100 * 2 ** attempts }) : null,
    inboxRetryPolicy: () => null,
    onOutboxError: (error, activity) =>
      journal.add("failed", { activity: activity?.id?.href ?? null, ...failure(error) }),
  });
  const mine = (name) => name === account.username;
  federation
    .setActorDispatcher("/users/{identifier}", (ctx, name) => (mine(name) ? person(ctx, account) : null))
    .setKeyPairsDispatcher((_, name) => (mine(name) ? account.keys : []))
    .mapHandle((_, name) => (mine(name) ? name : null))
    .mapAlias((_, resource) =>
      resource.pathname === `/@${account.username}` ? { identifier: account.username } : null,
    );
  federation.setNodeInfoDispatcher("/nodeinfo/2.1", () => ({
    software: { name: "fedify-peer", version: "1.0.0" },
    protocols: ["activitypub"],
    usage: { users: { total: 1, activeMonth: 1, activeHalfyear: 1 }, localPosts: account.notes.size, localComments: 0 },
  }));
  serveCollections(federation, account);
  serveNotes(federation, account, secure);
  federation
    .setInboxListeners("/users/{identifier}/inbox", "/inbox")
    .on(Activity, listener(account, journal))
    .onError((_, error) => journal.add("refused", failure(error)))
    .setSharedKeyDispatcher(() => ({ identifier: account.username }));
  return federation;
}
