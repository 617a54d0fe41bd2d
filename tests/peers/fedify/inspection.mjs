// Which signatures a received activity carries and which of them hold, each tried on its own.
// Fedify itself stops at the first that holds: Linked Data signature, then the object's proof, then HTTP signature.
import {
  detachSignature,
  hasProofLike,
  hasSignatureLike,
  verifyJsonLd,
  verifyObject,
  verifyRequestDetailed,
} from "@fedify/fedify/sig";
import { Activity } from "@fedify/fedify/vocab";

const DRAFT = "draft-cavage-http-signatures-12";

/** The scheme that a request claims to be signed by. */
export function scheme(headers) {
  if (headers.has("signature-input")) return "rfc9421";
  return headers.has("signature") ? DRAFT : null;
}

function keyId(headers) {
  const named = /keyid="([^"]+)"/i.exec(headers.get("signature-input") ?? headers.get("signature") ?? "");
  return named?.[1] ?? null;
}

async function tried(verify) {
  try {
    return await verify();
  } catch (error) {
    return { verified: false, reason: String(error) };
  }
}

async function httpSignature(request, options) {
  const result = await verifyRequestDetailed(request, options);
  return result.verified ? { verified: true } : { verified: false, reason: result.reason.type };
}

const cryptosuites = (json) => [json.proof].flat().map((proof) => proof?.cryptosuite ?? proof?.type ?? null);

/** Keys already fetched by this inspection, apart from those of Fedify's own verifier. */
export class KeyShelf {
  #keys = new Map();
  async get(id) {
    return this.#keys.get(id.href);
  }
  async set(id, key) {
    if (key === null) this.#keys.delete(id.href);
    else this.#keys.set(id.href, key);
  }
}

async function objectProof(json, options) {
  // The Linked Data signature is added after the proof, which therefore does not cover it.
  const activity = await verifyObject(Activity, detachSignature(json), options);
  return { verified: activity != null };
}

export async function inspect(request, json, options) {
  const claimed = scheme(request.headers);
  return {
    http: claimed && {
      scheme: claimed,
      keyId: keyId(request.headers),
      ...(await tried(() => httpSignature(request, options))),
    },
    proof: hasProofLike(json)
      ? { cryptosuites: cryptosuites(json), ...(await tried(() => objectProof(json, options))) }
      : null,
    linkedData: hasSignatureLike(json)
      ? await tried(async () => ({ verified: await verifyJsonLd(json, options) }))
      : null,
  };
}

export const claim = (headers) => scheme(headers) && { scheme: scheme(headers), keyId: keyId(headers) };
