// Starts one peer from the JSON settings in its first line of standard input, says on standard output where it is,
// and ends when standard input does: a test that dies takes its peers along.
import { AsyncLocalStorage } from "node:async_hooks";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

import { configure, getStreamSink, jsonLinesFormatter } from "@logtape/logtape";

import { Account } from "./account.mjs";
import { control } from "./control.mjs";
import { build } from "./federation.mjs";
import { front } from "./front.mjs";
import { Journal } from "./journal.mjs";
import { install } from "./routes.mjs";

const listen = (server, port) =>
  new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server.address().port));
  });

async function log(level) {
  const stderr = new WritableStream({ write: (chunk) => void process.stderr.write(chunk) });
  await configure({
    contextLocalStorage: new AsyncLocalStorage(),
    sinks: { stderr: getStreamSink(stderr, { formatter: jsonLinesFormatter }) },
    loggers: [
      { category: "fedify", lowestLevel: level, sinks: ["stderr"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["stderr"] },
    ],
  });
}

async function start(settings) {
  await log(settings.logLevel ?? "warning");
  install();
  const account = new Account(settings.username);
  account.approves = settings.approves ?? "automatically";
  await account.makeKeys();
  const peer = { account, journal: new Journal(), refuses: settings.refuses };
  const server = front({ key: readFileSync(settings.key), cert: readFileSync(settings.certificate) }, () => peer);
  const port = await listen(server, settings.port ?? 0);
  peer.origin = settings.bare ? `https://${settings.host}` : `https://${settings.host}:${port}`;
  peer.federation = build({ ...peer, firstKnock: settings.firstKnock, secure: settings.secure === true });
  const controlPort = await listen(control(peer), 0);
  console.log(JSON.stringify({ origin: peer.origin, port, control: controlPort }));
}

const lines = createInterface({ input: process.stdin });
lines.once("line", (line) => {
  start(JSON.parse(line)).catch((error) => {
    console.error(error);
    process.exit(1);
  });
});
lines.once("close", () => process.exit(0));
