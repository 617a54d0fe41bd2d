// The peer's one account: its profile, keys, notes and relations, all in memory.
import { generateCryptoKeyPair } from "@fedify/fedify";

export class Account {
  constructor(username) {
    this.username = username;
    this.profile = { name: username, summary: "", aliases: [], successor: null };
    this.keys = [];
    this.left = false;
    this.notes = new Map(); // number -> what was posted
    this.followers = new Map(); // actor uri -> {recipient, follow, state}
    this.following = new Map(); // actor uri -> {recipient, follow, state}
    this.likes = new Map(); // own note uri -> Set of actor uris
    this.boosts = new Map();
    this.known = new Map(); // uri of a stranger's object -> what Fedify understood of it
    this.reactions = new Map(); // "Like uri" or "Announce uri" -> the activity that an Undo needs
  }

  async makeKeys() {
    this.keys = await Promise.all([generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), generateCryptoKeyPair("Ed25519")]);
  }

  /** Those who get what is meant for followers. */
  audience() {
    return [...this.followers.values()].filter((one) => one.state === "accepted").map((one) => one.recipient);
  }

  accepted(relations) {
    return [...relations].filter(([, one]) => one.state === "accepted").map(([uri]) => uri);
  }

  /** What a test may want to know, as JSON. */
  state() {
    const states = (relations) => Object.fromEntries([...relations].map(([uri, one]) => [uri, one.state]));
    const lists = (sets) => Object.fromEntries([...sets].map(([uri, set]) => [uri, [...set]]));
    return {
      followers: states(this.followers),
      following: states(this.following),
      likes: lists(this.likes),
      boosts: lists(this.boosts),
      notes: [...this.notes.values()],
      known: Object.fromEntries(this.known),
    };
  }
}
