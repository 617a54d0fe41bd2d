// What Elk does with masto.js, and more: reads from standard input where the server is and the tokens of two people,
// and ends with status 0 if everything is as it should be.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { createOAuthAPIClient, createRestAPIClient, createStreamingAPIClient } from "masto";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { origin, alice: aliceToken, bob: bobToken, picture } = JSON.parse((await lines.next()).value);
const alice = createRestAPIClient({ url: origin, accessToken: aliceToken });
const bob = createRestAPIClient({ url: origin, accessToken: bobToken });
const nobody = createRestAPIClient({ url: origin });
const ids = (things) => things.map((each) => each.id);

async function all(pages) {
  const found = [];
  for await (const page of pages) found.push(...page);
  return found;
}

async function refused(call, status) {
  await assert.rejects(async () => await call(), (error) => error.statusCode === status);
}

const instance = await nobody.v2.instance.fetch();
assert.equal(instance.apiVersions.mastodon, 7);
assert.ok(instance.configuration.urls.streaming.startsWith("ws"));
assert.ok(instance.configuration.vapid.publicKey);
const me = await alice.v1.accounts.verifyCredentials();
const him = await bob.v1.accounts.verifyCredentials();

async function theServer() {
  const old = await nobody.v1.instance.fetch();
  assert.equal(old.uri, instance.domain);
  assert.ok(Array.isArray(await nobody.v1.instance.peers.list()));
  assert.deepEqual(await nobody.v1.instance.rules.list(), []);
  assert.equal((await nobody.v1.instance.activity.list()).length, 12);
  assert.ok((await nobody.v1.instance.extendedDescription.fetch()).content !== undefined);
  assert.ok(Array.isArray(await nobody.v1.customEmojis.list()));
  assert.deepEqual(await alice.v1.announcements.list(), []);
  assert.equal((await alice.v1.preferences.fetch())["posting:default:visibility"], "public");
  const app = await nobody.v1.apps.create({ clientName: "Elk", redirectUris: "https://elk.example/back", scopes: "read" });
  assert.ok(app.clientId && app.clientSecret);
  const oauth = createOAuthAPIClient({ url: origin });
  const granted = await oauth.token.create({ grantType: "client_credentials", clientId: app.clientId, clientSecret: app.clientSecret, redirectUri: "https://elk.example/back", scope: "read" });
  assert.equal((await createRestAPIClient({ url: origin, accessToken: granted.accessToken }).v1.apps.verifyCredentials()).name, "Elk");
  await refused(() => nobody.v1.accounts.verifyCredentials(), 401);
  await refused(() => alice.v1.statuses.$select("1").fetch(), 404);
}

async function people() {
  assert.equal((await alice.v1.accounts.lookup({ acct: "bob" })).id, him.id);
  assert.equal((await alice.v1.accounts.$select(him.id).fetch()).acct, "bob");
  assert.deepEqual(ids(await alice.v1.accounts.fetch({ id: [me.id, him.id] })), [me.id, him.id]);
  assert.deepEqual(ids(await alice.v1.accounts.search.list({ q: "bob" })), [him.id]);
  assert.equal((await alice.v1.accounts.$select(him.id).follow({ notify: true })).following, true);
  assert.equal((await bob.v1.accounts.$select(me.id).follow()).following, true);
  const [relation] = await alice.v1.accounts.relationships.fetch({ id: [him.id] });
  assert.deepEqual([relation.following, relation.followedBy, relation.notifying], [true, true, true]);
  assert.deepEqual(ids(await all(alice.v1.accounts.$select(him.id).followers.list())), [me.id]);
  assert.deepEqual(ids(await all(alice.v1.accounts.$select(him.id).following.list())), [me.id]);
  assert.equal((await alice.v1.accounts.$select(him.id).note.create({ comment: "choir" })).note, "choir");
  assert.equal((await alice.v1.accounts.$select(him.id).mute({ duration: 60 })).muting, true);
  assert.deepEqual(ids(await all(alice.v1.mutes.list())), [him.id]);
  await alice.v1.accounts.$select(him.id).unmute();
  const changed = await alice.v1.accounts.updateCredentials({
    displayName: "Alice A.", note: "Sings", fieldsAttributes: [{ name: "Site", value: "https://example.org" }],
    source: { language: "en" },
    avatar: new File([Buffer.from(picture, "base64")], "a.png", { type: "image/png" }),
  });
  assert.deepEqual([changed.displayName, changed.fields[0].name, changed.source.language], ["Alice A.", "Site", "en"]);
  assert.notEqual(changed.avatar, me.avatar);
  assert.deepEqual(await alice.v1.followRequests.list(), []);
  assert.ok(Array.isArray(await alice.v2.suggestions.list()));
  assert.deepEqual(await alice.v1.accounts.$select(him.id).featuredTags.list(), []);
  assert.equal((await alice.v1.accounts.familiarFollowers.fetch({ id: [him.id] }))[0].id, him.id);
}

async function posts() {
  const media = await alice.v2.media.create({ file: new File([Buffer.from(picture, "base64")], "p.png", { type: "image/png" }), description: "Teal" });
  assert.equal(media.type, "image");
  const post = await alice.v1.statuses.create(
    { status: "See #teal", mediaIds: [media.id], visibility: "public", sensitive: true, spoilerText: "colour", language: "en" },
    { headers: new Headers({ "Idempotency-Key": "one" }) },
  );
  assert.deepEqual([post.mediaAttachments[0].description, post.tags[0].name, post.spoilerText], ["Teal", "teal", "colour"]);
  const answer = await bob.v1.statuses.create({ status: "@alice seen", inReplyToId: post.id });
  assert.deepEqual(ids((await alice.v1.statuses.$select(post.id).context.fetch()).descendants), [answer.id]);
  assert.deepEqual(ids(await nobody.v1.statuses.list({ id: [post.id] })), [post.id]);
  const one = bob.v1.statuses.$select(post.id);
  assert.equal((await one.favourite()).favourited, true);
  assert.equal((await one.reblog()).reblog.id, post.id);
  assert.equal((await one.bookmark()).bookmarked, true);
  assert.deepEqual(ids(await all(one.favouritedBy.list())), [him.id]);
  assert.deepEqual(ids(await all(one.rebloggedBy.list())), [him.id]);
  assert.deepEqual(ids(await all(bob.v1.bookmarks.list())), [post.id]);
  assert.deepEqual(ids(await all(bob.v1.favourites.list())), [post.id]);
  await one.unfavourite();
  await one.unreblog();
  await one.unbookmark();
  const own = alice.v1.statuses.$select(post.id);
  assert.equal((await own.update({ status: "See #blue", mediaIds: [media.id], mediaAttributes: [{ id: media.id, description: "Blue", focus: "0.1,0.2" }] })).mediaAttachments[0].description, "Blue");
  assert.equal((await own.source.fetch()).text, "See #blue");
  assert.equal((await own.history.list()).length, 2);
  assert.equal((await own.pin()).pinned, true);
  assert.deepEqual(ids(await all(nobody.v1.accounts.$select(me.id).statuses.list({ pinned: true }))), [post.id]);
  await own.unpin();
  assert.equal((await own.mute()).muted, true);
  await own.unmute();
  const asked = await alice.v1.statuses.create({ status: "What?", poll: { options: ["tea", "coffee"], expiresIn: 3600 } });
  const voted = await bob.v1.polls.$select(asked.poll.id).votes.create({ choices: [1] });
  assert.deepEqual([voted.voted, voted.ownVotes, voted.options[1].votesCount], [true, [1], 1]);
  const later = await alice.v1.statuses.create({ status: "Later", scheduledAt: new Date(Date.now() + 3_600_000).toISOString() });
  assert.deepEqual(ids(await all(alice.v1.scheduledStatuses.list())), [later.id]);
  await alice.v1.scheduledStatuses.$select(later.id).remove();
  assert.equal((await alice.v1.statuses.$select(asked.id).remove()).text, "What?");
  await refused(() => bob.v1.statuses.$select(post.id).remove(), 404);
}

async function timelines() {
  const written = [];
  for (const number of [0, 1, 2, 3, 4, 5, 6]) written.unshift((await bob.v1.statuses.create({ status: `Bed ${number} #beds` })).id);
  assert.deepEqual(ids(await all(alice.v1.timelines.home.list({ limit: 3 }))).slice(0, 7), written);
  assert.deepEqual(ids(await all(nobody.v1.timelines.tag.$select("beds").list({ limit: 3 }))), written);
  assert.deepEqual(ids(await all(nobody.v1.timelines.public.list({ limit: 3, local: true }))).slice(0, 7), written);
  assert.deepEqual(ids(await nobody.v1.timelines.tag.$select("beds").list({ minId: written[4], limit: 2 })), written.slice(2, 4));
  const forward = nobody.v1.timelines.tag.$select("beds").list({ limit: 3, minId: written[6] });
  assert.deepEqual(ids(await forward), written.slice(3, 6));
  const found = await alice.v2.search.list({ q: "beds", resolve: true });
  assert.deepEqual(found.hashtags.map((each) => each.name), ["beds"]);
  assert.equal((await alice.v1.tags.$select("beds").follow()).following, true);
  assert.deepEqual((await all(alice.v1.followedTags.list())).map((each) => each.name), ["beds"]);
  await alice.v1.tags.$select("beds").unfollow();
  for (const trends of [nobody.v1.trends.tags, nobody.v1.trends.statuses, nobody.v1.trends.links]) assert.ok(Array.isArray(await trends.list()));
}

async function notifications() {
  const told = await all(alice.v1.notifications.list());
  assert.ok(told.some((each) => each.type === "mention" && each.account.id === him.id));
  const grouped = await alice.v2.notifications.list({ expandAccounts: "partial_avatars", groupedTypes: ["favourite"] });
  assert.ok(grouped.notificationGroups.length > 0 && grouped.accounts.length > 0);
  assert.ok((await alice.v2.notifications.unreadCount.fetch()).count > 0);
  assert.equal((await alice.v2.notifications.policy.fetch()).forNotFollowing, "accept");
  assert.equal((await alice.v2.notifications.policy.update({ forNewAccounts: "filter" })).forNewAccounts, "filter");
  assert.ok(Array.isArray(await alice.v1.notifications.requests.list()));
  await alice.v2.notifications.policy.update({ forNewAccounts: "accept" });
  const marked = await alice.v1.markers.create({ notifications: { lastReadId: told[0].id } });
  assert.equal(marked.notifications.lastReadId, told[0].id);
  assert.equal((await alice.v1.markers.fetch({ timeline: ["notifications"] })).notifications.lastReadId, told[0].id);
  await alice.v1.notifications.$select(told[0].id).dismiss();
  const push = await alice.v1.push.subscription.create({
    policy: "all",
    subscription: { endpoint: "https://push.invalid/2", keys: { p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", auth: "BTBZMqHH6r4Tts7J_aSIgg" } },
    data: { alerts: { mention: true } },
  });
  assert.equal(push.alerts.mention, true);
  await alice.v1.push.subscription.remove();
}

async function listsAndFilters() {
  const list = await alice.v1.lists.create({ title: "Choir", repliesPolicy: "list" });
  await alice.v1.lists.$select(list.id).accounts.create({ accountIds: [him.id] });
  assert.deepEqual(ids(await all(alice.v1.lists.$select(list.id).accounts.list())), [him.id]);
  assert.deepEqual(ids(await alice.v1.accounts.$select(him.id).lists.list()), [list.id]);
  assert.equal((await alice.v1.lists.$select(list.id).update({ title: "Chorus" })).title, "Chorus");
  const filter = await alice.v2.filters.create({ title: "Ends", context: ["home"], filterAction: "warn", keywordsAttributes: [{ keyword: "butler", wholeWord: true }] });
  assert.equal(filter.keywords[0].keyword, "butler");
  const post = await bob.v1.statuses.create({ status: "The butler #roses" });
  assert.equal((await alice.v1.statuses.$select(post.id).fetch()).filtered[0].filter.id, filter.id);
  const word = await alice.v2.filters.$select(filter.id).keywords.create({ keyword: "cook" });
  await alice.v2.filters.keywords.$select(word.id).remove();
  await alice.v2.filters.$select(filter.id).statuses.create({ statusId: post.id });
  assert.deepEqual(ids(await alice.v2.filters.list()), [filter.id]);
  await alice.v2.filters.$select(filter.id).remove();
  return list;
}

async function streams(list) {
  const streaming = createStreamingAPIClient({ streamingApiUrl: instance.configuration.urls.streaming, accessToken: aliceToken, retry: false });
  const heard = [];
  let news = () => {};
  const hearers = { user: {}, hashtag: { tag: "roses" }, list: { list: list.id }, public: {}, direct: {} };
  const subscriptions = Object.entries(hearers).map(([name, more]) => {
    const subscription = { user: streaming.user, hashtag: streaming.hashtag, list: streaming.list, public: streaming.public, direct: streaming.direct }[name].subscribe(more);
    (async () => {
      for await (const event of subscription) {
        heard.push([name, event]);
        news();
      }
    })();
    return subscription;
  });
  const wait = async (name, kind, wanted = () => true) => {
    for (const end = Date.now() + 15_000; Date.now() < end; ) {
      const found = heard.find(([stream, event]) => stream === name && event.event === kind && wanted(event.payload));
      if (found) return found[1].payload;
      await Promise.race([new Promise((resolve) => (news = resolve)), new Promise((resolve) => setTimeout(resolve, 500).unref())]);
    }
    assert.fail(`${name} never told ${kind}, but ${heard.map(([stream, event]) => `${stream}:${event.event}`)}`);
  };
  await streaming.prepare?.();
  // Whether a stream is subscribed is not answered; a first post is repeated until all have heard of one.
  const ready = new Set();
  for (let count = 0; ready.size < 4 && count < 40; count += 1) {
    await bob.v1.statuses.create({ status: `Knock ${count} #roses` });
    await Promise.race([new Promise((resolve) => (news = resolve)), new Promise((resolve) => setTimeout(resolve, 200))]);
    for (const [stream, event] of heard) if (event.event === "update") ready.add(stream);
  }
  const post = await bob.v1.statuses.create({ status: "@alice Last #roses" });
  for (const name of ["user", "hashtag", "list", "public"]) assert.equal((await wait(name, "update", (each) => each.id === post.id)).account.acct, "bob");
  await wait("user", "notification", (each) => each.type === "mention" && each.status.id === post.id);
  await bob.v1.statuses.$select(post.id).update({ status: "@alice Last of the #roses" });
  assert.match((await wait("user", "status.update")).content, /of the/);
  await bob.v1.statuses.$select(post.id).remove();
  await wait("user", "delete", (each) => each === post.id);
  await bob.v1.statuses.create({ status: "@alice between us", visibility: "direct" });
  assert.equal((await wait("direct", "conversation")).lastStatus.account.acct, "bob");
  const [talk] = await alice.v1.conversations.list();
  assert.equal((await alice.v1.conversations.$select(talk.id).read()).unread, false);
  await alice.v2.filters.create({ title: "Thorns", context: ["home"], filterAction: "hide" });
  await wait("user", "filters_changed");
  for (const each of subscriptions) each.unsubscribe();
  streaming.close();
  await alice.v1.lists.$select(list.id).remove();
}

async function theOwner() {
  assert.ok(ids(await all(alice.v2.admin.accounts.list({ origin: "local" }))).includes(him.id));
  const report = await bob.v1.reports.create({ accountId: me.id, comment: "Too loud" });
  assert.deepEqual(ids(await alice.v1.admin.reports.list()), [report.id]);
  assert.equal((await alice.v1.admin.reports.$select(report.id).resolve()).actionTaken, true);
  await refused(() => bob.v1.admin.reports.list(), 403);
}

for (const part of [theServer, people, posts, timelines, notifications]) {
  await part();
  console.log(part.name);
}
await streams(await listsAndFilters());
console.log("streams");
await theOwner();
console.log("theOwner");
process.exit(0);
