// What the peer does when an activity arrives that Fedify has accepted.
import { Accept, Announce, Create, Delete, Follow, Like, Reject, Undo, Update } from "@fedify/fedify/vocab";

/** The addresses that a later delivery needs. */
export const recipient = (actor) => ({
  id: actor.id,
  inboxId: actor.inboxId,
  endpoints: actor.endpoints ?? null,
});

/** The document as Fedify has understood it: what its vocabulary or the document's context does not know is missing. */
export async function understood(ctx, object) {
  return object == null ? null : await object.toJsonLd({ format: "compact", contextLoader: ctx.contextLoader });
}

export async function answer(ctx, account, follower, Answer) {
  const me = ctx.getActorUri(account.username);
  await ctx.sendActivity(
    { identifier: account.username },
    follower.recipient,
    new Answer({
      id: new URL(`/activities/${crypto.randomUUID()}`, ctx.canonicalOrigin),
      actor: me,
      to: follower.recipient.id,
      object: new Follow({ id: follower.follow && new URL(follower.follow), actor: follower.recipient.id, object: me }),
    }),
  );
}

async function followed(ctx, account, follow) {
  if (follow.objectId?.href !== ctx.getActorUri(account.username).href) return;
  const actor = await follow.getActor(ctx);
  const follower = { recipient: recipient(actor), follow: follow.id?.href, state: "pending" };
  account.followers.set(actor.id.href, follower);
  if (account.approves === "manual") return;
  follower.state = "accepted";
  await answer(ctx, account, follower, Accept);
}

function answered(state) {
  return async (ctx, account, activity) => {
    const relation = account.following.get(activity.actorId.href);
    if (!relation) return;
    // The embedded Follow may be a bare id, our own, which this peer serves nowhere: only the id is compared.
    const object = activity.objectId?.href ?? null;
    if (object === null || object === relation.follow) relation.state = state;
  };
}

function counted(field) {
  return async (ctx, account, activity) => {
    const sets = account[field];
    const uri = activity.objectId.href;
    sets.set(uri, (sets.get(uri) ?? new Set()).add(activity.actorId.href));
  };
}

async function withdrawn(ctx, account, undo) {
  const inner = await undo.getObject(ctx);
  const actor = undo.actorId.href;
  if (inner == null || inner.actorId?.href !== actor) return;
  if (inner instanceof Follow) account.followers.delete(actor);
  if (inner instanceof Like) account.likes.get(inner.objectId.href)?.delete(actor);
  if (inner instanceof Announce) account.boosts.get(inner.objectId.href)?.delete(actor);
}

async function learned(ctx, account, activity) {
  const object = await activity.getObject(ctx);
  if (object?.id != null) account.known.set(object.id.href, await understood(ctx, object));
}

async function removed(ctx, account, activity) {
  const uri = activity.objectId.href;
  account.known.delete(uri);
  if (uri !== activity.actorId.href) return;
  account.followers.delete(uri);
  account.following.delete(uri);
}

const HANDLERS = new Map([
  [Accept, answered("accepted")],
  [Announce, counted("boosts")],
  [Create, learned],
  [Delete, removed],
  [Follow, followed],
  [Like, counted("likes")],
  [Reject, answered("rejected")],
  [Undo, withdrawn],
  [Update, learned],
]);

/** The one listener: every activity is written down, also those that the peer does nothing with. */
export function listener(account, journal) {
  return async (ctx, activity) => {
    const facts = {
      type: activity.constructor.name,
      id: activity.id?.href ?? null,
      actor: activity.actorId?.href ?? null,
    };
    await HANDLERS.get(activity.constructor)?.(ctx, account, activity);
    journal.add("handled", {
      ...facts,
      object: activity.objectId?.href ?? null,
      understood: await understood(ctx, activity),
    });
  };
}
