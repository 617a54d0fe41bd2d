// From what is posted to the documents that Fedify sends and serves.
import {
  Article,
  Create,
  Document,
  Endpoints,
  Hashtag,
  Image,
  Mention,
  Note,
  Person,
  PropertyValue,
  PUBLIC_COLLECTION,
  Source,
  Tombstone,
} from "@fedify/fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";

export const instant = (ms) => Temporal.Instant.fromEpochMilliseconds(ms);
const url = (text) => (text ? new URL(text) : null);

export async function person(ctx, account) {
  const name = account.username;
  if (account.left) return new Tombstone({ id: ctx.getActorUri(name) });
  const keys = await ctx.getActorKeyPairs(name);
  const { profile } = account;
  return new Person({
    id: ctx.getActorUri(name),
    preferredUsername: name,
    name: profile.name,
    summary: profile.summary,
    url: new URL(`/@${name}`, ctx.canonicalOrigin),
    icon: profile.icon ? new Image({ url: new URL(profile.icon), mediaType: "image/png" }) : null,
    attachments: (profile.fields ?? []).map(([key, value]) => new PropertyValue({ name: key, value })),
    inbox: ctx.getInboxUri(name),
    outbox: ctx.getOutboxUri(name),
    followers: ctx.getFollowersUri(name),
    following: ctx.getFollowingUri(name),
    endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
    manuallyApprovesFollowers: account.approves === "manual",
    discoverable: true,
    aliases: profile.aliases.map(url),
    successor: url(profile.successor),
    publicKey: keys[0].cryptographicKey,
    assertionMethods: keys.map((key) => key.multikey),
  });
}

/** `to` and `cc` of something with this visibility; the mentioned are addressed by name. */
export function addressing(ctx, account, post) {
  const followers = ctx.getFollowersUri(account.username);
  const mentioned = post.mentions.map((one) => new URL(one.href));
  switch (post.visibility) {
    case "public":
      return { tos: [PUBLIC_COLLECTION], ccs: [followers, ...mentioned] };
    case "unlisted":
      return { tos: [followers], ccs: [PUBLIC_COLLECTION, ...mentioned] };
    case "followers":
      return { tos: [followers, ...mentioned], ccs: [] };
    case "direct":
      return { tos: mentioned, ccs: [] };
    default:
      throw new Error(`unknown visibility ${post.visibility}`);
  }
}

const tag = (name) => new Hashtag({ name: `#${name}`, href: new URL(`https://tags.test/${encodeURIComponent(name)}`) });

export function document(ctx, account, post) {
  const Kind = post.type === "Article" ? Article : Note;
  return new Kind({
    id: ctx.getObjectUri(Note, { number: post.number }),
    url: new URL(`/@${account.username}/${post.number}`, ctx.canonicalOrigin),
    attribution: ctx.getActorUri(account.username),
    ...addressing(ctx, account, post),
    name: post.name ?? null,
    content: post.content,
    source: post.source ? new Source({ content: post.source, mediaType: "text/markdown" }) : null,
    summary: post.summary ?? null,
    sensitive: post.sensitive ?? null,
    replyTarget: url(post.replyTo),
    published: instant(post.published),
    updated: post.updated ? instant(post.updated) : null,
    tags: [
      ...post.mentions.map((one) => new Mention({ href: new URL(one.href), name: one.handle })),
      ...(post.tags ?? []).map(tag),
    ],
    attachments: (post.attachments ?? []).map(
      (one) => new Document({ url: new URL(one.url), mediaType: one.mediaType, name: one.name ?? null }),
    ),
  });
}

export function creation(ctx, account, post) {
  return new Create({
    id: ctx.getObjectUri(Create, { number: post.number }),
    actor: ctx.getActorUri(account.username),
    ...addressing(ctx, account, post),
    object: document(ctx, account, post),
    published: instant(post.published),
  });
}
