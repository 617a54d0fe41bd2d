// What the peer's owner can do; each function is one command of the control API.
import { parseNodeInfo } from "@fedify/fedify";
import {
  Accept,
  Activity,
  Announce,
  Collection,
  Delete,
  Follow,
  isActor,
  Like,
  Note,
  PUBLIC_COLLECTION,
  Reject,
  Tombstone,
  Undo,
  Update,
} from "@fedify/fedify/vocab";
import jsonld from "jsonld";

import { addressing, creation, document, instant, person } from "./documents.mjs";
import { answer, recipient, understood } from "./reception.mjs";
import { route } from "./routes.mjs";

export class Refusal extends Error {}

const need = (value, message) => {
  if (value == null) throw new Refusal(message);
  return value;
};

/** One command's view of the peer: a context to send from and a loader that signs. */
export class Desk {
  constructor(peer) {
    const { federation, account, origin } = peer;
    this.peer = peer;
    this.account = account;
    this.ctx = federation.createContext(new URL(origin));
    this.me = this.ctx.getActorUri(account.username);
  }

  async loader() {
    return await this.ctx.getDocumentLoader({ identifier: this.account.username });
  }

  newId() {
    return new URL(`/activities/${crypto.randomUUID()}`, this.ctx.canonicalOrigin);
  }

  async find(text) {
    return await this.ctx.lookupObject(text, { documentLoader: await this.loader() });
  }

  async actor(text) {
    const found = await this.find(need(text, "say who"));
    if (!isActor(found ?? {})) throw new Refusal(`no actor at ${text}`);
    return found;
  }

  /** The object and where its author reads. */
  async object(uri) {
    const found = need(await this.find(need(uri, "say which object")), `no object at ${uri}`);
    const author = await found.getAttribution({
      documentLoader: await this.loader(),
      contextLoader: this.ctx.contextLoader,
    });
    return { object: found, recipients: isActor(author ?? {}) ? [recipient(author)] : [] };
  }

  async send(recipients, activity) {
    const distinct = [...new Map(recipients.map((one) => [one.id.href, one])).values()];
    await this.ctx.sendActivity({ identifier: this.account.username }, distinct, activity, { preferSharedInbox: true });
    return { activity: activity.id.href, recipients: distinct.map((one) => one.id.href) };
  }

  post(uri) {
    const post = [...this.account.notes.values()].find((one) => one.uri === uri && !one.deleted);
    return need(post, `no note of this peer at ${uri}`);
  }
}

async function follow(desk, { who }) {
  const actor = await desk.actor(who);
  const activity = new Follow({ id: desk.newId(), actor: desk.me, object: actor.id, to: actor.id });
  desk.account.following.set(actor.id.href, {
    recipient: recipient(actor),
    follow: activity.id.href,
    state: "pending",
  });
  return { actor: actor.id.href, ...(await desk.send([recipient(actor)], activity)) };
}

async function unfollow(desk, { who }) {
  const actor = await desk.actor(who);
  const relation = need(desk.account.following.get(actor.id.href), `does not follow ${who}`);
  desk.account.following.delete(actor.id.href);
  const object = new Follow({ id: new URL(relation.follow), actor: desk.me, object: actor.id });
  return await desk.send([relation.recipient], new Undo({ id: desk.newId(), actor: desk.me, object, to: actor.id }));
}

const answering =
  (Answer, state) =>
  async (desk, { who }) => {
    const follower = need(desk.account.followers.get(who), `${who} has not asked to follow`);
    follower.state = state;
    await answer(desk.ctx, desk.account, follower, Answer);
    return { actor: who };
  };

async function mentioned(desk, handles) {
  const actors = await Promise.all(handles.map((handle) => desk.actor(handle)));
  return {
    mentions: actors.map((actor, i) => ({ href: actor.id.href, handle: handles[i] })),
    recipients: actors.map(recipient),
  };
}

function readers(desk, post, named) {
  return post.visibility === "direct" ? named : [...desk.account.audience(), ...named];
}

async function post(desk, { mention = [], replyTo = null, visibility = "public", ...rest }) {
  const { mentions, recipients } = await mentioned(desk, mention);
  const parent = replyTo === null ? [] : (await desk.object(replyTo)).recipients;
  const number = String(desk.account.notes.size + 1);
  const uri = desk.ctx.getObjectUri(Note, { number }).href;
  const written = { ...rest, number, uri, visibility, replyTo, mentions, published: Date.now() };
  desk.account.notes.set(number, written);
  written.recipients = [...recipients, ...parent];
  Object.defineProperty(written, "recipients", { enumerable: false });
  const sent = await desk.send(readers(desk, written, written.recipients), creation(desk.ctx, desk.account, written));
  return { note: uri, ...sent };
}

async function edit(desk, { note, ...changes }) {
  const written = desk.post(note);
  Object.assign(written, changes, { updated: Date.now() });
  const activity = new Update({
    id: desk.newId(),
    actor: desk.me,
    ...addressing(desk.ctx, desk.account, written),
    object: document(desk.ctx, desk.account, written),
    updated: instant(written.updated),
  });
  return await desk.send(readers(desk, written, written.recipients), activity);
}

async function remove(desk, { note }) {
  const written = desk.post(note);
  written.deleted = true;
  const object = new Tombstone({ id: new URL(note) });
  const activity = new Delete({
    id: desk.newId(),
    actor: desk.me,
    ...addressing(desk.ctx, desk.account, written),
    object,
  });
  return await desk.send(readers(desk, written, written.recipients), activity);
}

async function like(desk, { object: uri }) {
  const { object, recipients } = await desk.object(uri);
  const activity = new Like({
    id: desk.newId(),
    actor: desk.me,
    object: object.id,
    tos: recipients.map((one) => one.id),
  });
  desk.account.reactions.set(`Like ${object.id.href}`, { activity, recipients });
  return await desk.send(recipients, activity);
}

async function boost(desk, { object: uri }) {
  const { object, recipients } = await desk.object(uri);
  const activity = new Announce({
    id: desk.newId(),
    actor: desk.me,
    object: object.id,
    to: PUBLIC_COLLECTION,
    ccs: [desk.ctx.getFollowersUri(desk.account.username), ...recipients.map((one) => one.id)],
    published: instant(Date.now()),
  });
  const everybody = [...recipients, ...desk.account.audience()];
  desk.account.reactions.set(`Announce ${object.id.href}`, { activity, recipients: everybody });
  return await desk.send(everybody, activity);
}

const undoing =
  (kind) =>
  async (desk, { object: uri }) => {
    const key = `${kind} ${uri}`;
    const { activity, recipients } = need(desk.account.reactions.get(key), `no ${kind} of ${uri}`);
    desk.account.reactions.delete(key);
    const tos = activity.toIds;
    const undo = new Undo({ id: desk.newId(), actor: desk.me, object: activity, tos, ccs: activity.ccIds });
    return await desk.send(recipients, undo);
  };

async function profile(desk, changes) {
  Object.assign(desk.account.profile, changes);
  const activity = new Update({
    id: desk.newId(),
    actor: desk.me,
    to: PUBLIC_COLLECTION,
    object: await person(desk.ctx, desk.account),
  });
  return await desk.send(desk.account.audience(), activity);
}

/** The account goes: Delete is sent, then the actor is a Tombstone with status 410. */
async function leave(desk) {
  const followers = desk.account.audience();
  const activity = new Delete({ id: desk.newId(), actor: desk.me, object: desk.me, to: PUBLIC_COLLECTION });
  const sent = await desk.send(followers, activity);
  desk.account.left = true;
  return sent;
}

/** Any activity, for what has no command of its own; `id` and `actor` are filled in where they are missing. */
async function send(desk, { activity: json, to }) {
  const actors = await Promise.all(to.map((who) => desk.actor(who)));
  const full = { id: desk.newId().href, actor: desk.me.href, ...json };
  const loaders = { contextLoader: desk.ctx.contextLoader, documentLoader: await desk.loader() };
  const activity = await Activity.fromJsonLd(full, loaders);
  return await desk.send(actors.map(recipient), activity);
}

async function lookup(desk, { what }) {
  const jrd = await desk.ctx.lookupWebFinger(what.startsWith("http") ? what : `acct:${what.replace(/^(@|acct:)/, "")}`);
  const object = await desk.find(what);
  return {
    webfinger: jrd,
    type: object?.constructor.name ?? null,
    id: object?.id?.href ?? null,
    document: object && (await object.toJsonLd()),
    understood: await understood(desk.ctx, object),
  };
}

async function fetchDocument(desk, { uri }) {
  const { document: json, documentUrl } = await (await desk.loader())(uri);
  return { url: documentUrl, document: json };
}

/** A document as JSON-LD means it, without Fedify's vocabulary: terms that its context does not declare are missing. */
async function expand(desk, { document: json }) {
  const loader = async (url) => await desk.ctx.contextLoader(url);
  return { expanded: await jsonld.expand(json, { documentLoader: loader, keepFreeFloatingNodes: true }) };
}

async function collection(desk, { uri, limit = 100 }) {
  const found = await desk.find(uri);
  if (!(found instanceof Collection)) throw new Refusal(`no collection at ${uri}`);
  const items = [];
  const options = { documentLoader: await desk.loader(), contextLoader: desk.ctx.contextLoader };
  for await (const item of desk.ctx.traverseCollection(found, options)) {
    if (items.length >= limit) break;
    items.push({ type: item.constructor.name, id: item.id?.href ?? item.href?.href ?? null });
  }
  return { type: found.constructor.name, total: found.totalItems, items };
}

/** By hand, since Fedify's own lookup refuses loopback whatever `allowPrivateAddress` says; Fedify reads the answer. */
async function nodeinfo(_, { origin }) {
  const known = await (await fetch(new URL("/.well-known/nodeinfo", origin))).json();
  const link = known.links.findLast((one) =>
    /^http:\/\/nodeinfo\.diaspora\.software\/ns\/schema\/2\.[01]$/.test(one.rel),
  );
  const json = await (await fetch(need(link, `no NodeInfo at ${origin}`).href)).json();
  return { document: json, understood: parseNodeInfo(json) };
}

export const ACTIONS = {
  accept: answering(Accept, "accepted"),
  boost,
  collection,
  delete: remove,
  edit,
  expand,
  fetch: fetchDocument,
  follow,
  leave,
  like,
  lookup,
  nodeinfo,
  post,
  profile,
  refuse: async (desk, { knock = null }) => {
    desk.peer.refuses = knock;
    return {};
  },
  reject: answering(Reject, "rejected"),
  route: async (_, { authority, port }) => route(authority, port) ?? {},
  send,
  state: async (desk) => desk.account.state(),
  unboost: undoing("Announce"),
  unfollow,
  unlike: undoing("Like"),
};
