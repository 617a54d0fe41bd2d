// The control API on a loopback port: POST /COMMAND with a JSON object, GET /events?after=N&timeout=MS.
import { createServer } from "node:http";

import { ACTIONS, Desk, Refusal } from "./actions.mjs";
import { body } from "./front.mjs";

async function events(url, journal) {
  const after = Number(url.searchParams.get("after") ?? 0);
  const timeout = Number(url.searchParams.get("timeout") ?? 0);
  return { events: await journal.after(after, timeout) };
}

async function perform(incoming, peer) {
  const url = new URL(incoming.url, "http://control.test");
  const name = url.pathname.slice(1);
  if (name === "events") return await events(url, peer.journal);
  if (!Object.hasOwn(ACTIONS, name))
    throw new Refusal(`no command ${name}; there are ${Object.keys(ACTIONS).join(", ")}`);
  const text = (await body(incoming)).toString();
  return await ACTIONS[name](new Desk(peer), text ? JSON.parse(text) : {});
}

export function control(peer) {
  return createServer(async (incoming, outgoing) => {
    let status = 200;
    let reply;
    try {
      reply = await perform(incoming, peer);
    } catch (error) {
      status = error instanceof Refusal ? 400 : 500;
      reply = { error: error instanceof Refusal ? error.message : String(error.stack ?? error) };
    }
    outgoing.writeHead(status, { "content-type": "application/json" });
    outgoing.end(JSON.stringify(reply));
  });
}
