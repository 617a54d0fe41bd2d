// The peer's public side: HTTPS in, Fedify's answer out, and each request written down.
import { createServer } from "node:https";

import { claim, inspect, KeyShelf, scheme } from "./inspection.mjs";

export async function body(incoming) {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function toRequest(incoming) {
  const headers = new Headers();
  for (let i = 0; i < incoming.rawHeaders.length; i += 2)
    headers.append(incoming.rawHeaders[i], incoming.rawHeaders[i + 1]);
  const bare = incoming.method === "GET" || incoming.method === "HEAD";
  return new Request(`https://${incoming.headers.host}${incoming.url}`, {
    method: incoming.method,
    headers,
    body: bare ? undefined : await body(incoming),
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** The page for a browser, which names the document: how people's pasted addresses are found. */
function page(path, account, ctx) {
  const found = new RegExp(`^/@${account.username}(?:/([^/]+))?$`).exec(path);
  const post = found?.[1] && account.notes.get(found[1]);
  if (!found || (found[1] && (!post || post.deleted))) return new Response("Not found", { status: 404 });
  const uri = post ? post.uri : ctx.getActorUri(account.username).href;
  const alternate = `<link rel="alternate" type="application/activity+json" href="${escaped(uri)}">`;
  const html = `<!doctype html><title>${escaped(post?.name ?? account.profile.name)}</title>${alternate}`;
  return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
}

const gone = (uri) =>
  Response.json(
    { "@context": "https://www.w3.org/ns/activitystreams", id: uri, type: "Tombstone" },
    { status: 410, headers: { "content-type": "application/activity+json" } },
  );

async function answer(request, { federation, account, origin, refuses }) {
  if (refuses && scheme(request.headers) === refuses) return new Response("Sign in the other way.", { status: 401 });
  const { pathname } = new URL(request.url);
  const number = /^\/notes\/([^/]+)/.exec(pathname)?.[1];
  const post = number && account.notes.get(number);
  if (post?.deleted) return gone(post.uri);
  const html = () => page(pathname, account, federation.createContext(new URL(origin)));
  return await federation.fetch(request, {
    onNotFound: html,
    onNotAcceptable: html,
    onUnauthorized: () => new Response("Sign the request.", { status: 401 }),
  });
}

async function received(request, text, facts, shelf, { federation, account, journal, origin }) {
  const json = parsed(text);
  const ctx = federation.createContext(new URL(origin));
  const documentLoader = await ctx.getDocumentLoader({ identifier: account.username });
  const options = { documentLoader, contextLoader: ctx.contextLoader, keyCache: shelf };
  journal.add("received", {
    inbox: new URL(request.url).pathname,
    ...facts,
    type: json?.type ?? null,
    id: json?.id ?? null,
    actor: json?.actor?.id ?? json?.actor ?? null,
    activity: json,
    signature: json && (await inspect(request, json, options)),
  });
}

async function exchange(incoming, outgoing, shelf, peer) {
  const request = await toRequest(incoming);
  const posted = request.method === "POST" ? [request.clone(), await request.clone().text()] : null;
  const reply = await answer(request, peer).catch((error) => {
    // Fedify throws when a JSON-LD context cannot be had.
    peer.journal.add("broken", { path: incoming.url, error: String(error.stack ?? error) });
    return new Response(String(error), { status: 500 });
  });
  const text = Buffer.from(await reply.arrayBuffer());
  outgoing.writeHead(reply.status, [...reply.headers].flat());
  outgoing.end(text);
  const facts = { status: reply.status, reply: posted ? text.toString() : undefined };
  if (posted) await received(...posted, facts, shelf, peer);
  else peer.journal.add("asked", { path: incoming.url, ...facts, signature: claim(request.headers) });
}

/** An HTTPS server that is not listening yet; `peer()` gives what it needs once the origin is known. */
export function front(tls, peer) {
  const shelf = new KeyShelf();
  return createServer(tls, (incoming, outgoing) => {
    exchange(incoming, outgoing, shelf, peer()).catch((error) => {
      peer().journal.add("broken", { error: String(error.stack ?? error) });
      if (!outgoing.headersSent) outgoing.writeHead(500);
      outgoing.end();
    });
  });
}
