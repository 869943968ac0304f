// Rotation inside the format of each other system: to a new key, and back. Node's own crypto opens
// every step under the key that is due, and under no other.
import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { codecs, Column, type Codec, type RailsOptions } from "reseal";
import {
  railsKey,
  readFernet,
  readFreeboard,
  readMetabase,
  readN8n,
  readN8nGcm,
  readRails,
} from "./fixtures/readers.js";

const context = { table: "settings", key: "site-url" };
const TEXTS = ["{}", '{"user":"é🌍"}', '"x"', JSON.stringify("long ".repeat(20)), "12345678901"];
const [OLD, NEW] = ["the old secret, long enough", "the new secret, long enough"];
const [OLD_32, NEW_32] = [randomBytes(32), randomBytes(32)];

/** A format, its two keys, a codec whose first key writes, and an independent reader. */
interface Rotation {
  readonly keys: readonly [old: string, next: string];
  readonly codec: (keys: string[]) => Codec;
  readonly read: (stored: string, key: string) => string;
  readonly binary?: boolean;
}

const fernetKeys = [OLD_32, NEW_32].map((key) => `${key.toString("base64url")}=`);
const base64Keys = [OLD_32, NEW_32].map((key) => key.toString("base64"));
const two = (keys: string[]) => keys as [string, string];

function sentry(field: "text" | "json"): Rotation {
  const ids = new Map([[fernetKeys[0]!, "key_old"], [fernetKeys[1]!, "key_new"]]); // prettier-ignore
  return {
    keys: two(fernetKeys),
    codec: (keys) => {
      const known = Object.fromEntries(keys.map((key) => [ids.get(key)!, key]));
      return codecs.sentry({ keys: known, primary: ids.get(keys[0]!)!, field });
    },
    read: (stored, key) => {
      const document = field === "json" ? (JSON.parse(stored) as Record<string, string>) : {};
      const text = field === "json" ? document["sentry_encrypted_field_value"]! : stored;
      const [marker, method, id, payload] = text.split(":") as [string, string, string, string];
      expect([marker, method]).toEqual(["enc", "fernet"]);
      if (id !== ids.get(key)) throw new Error("under another key");
      return readFernet(Buffer.from(payload, "base64").toString(), key);
    },
  };
}

function rails(options: Partial<RailsOptions> = {}, binary = false): Rotation {
  return {
    keys: [OLD, NEW],
    codec: (keys) => {
      // The last primary key writes; there is one deterministic key.
      const given =
        options.deterministic === true
          ? { deterministicKeys: keys.slice(0, 1), previousKeys: keys.slice(1) }
          : { primaryKeys: [...keys].reverse() };
      return codecs.rails({ keyDerivationSalt: "a salt", ...given, ...options });
    },
    read: (stored, key) => readRails(stored, railsKey(key, "a salt", "sha256")),
    binary,
  };
}

const railsDigests: Rotation = {
  keys: ["sha1", "sha256"],
  codec: (digests) =>
    codecs.rails({
      primaryKeys: [OLD],
      keyDerivationSalt: "a salt",
      digests: digests as ("sha1" | "sha256")[],
    }),
  read: (stored, digest) => readRails(stored, railsKey(OLD, "a salt", digest)),
};

function metabase(aad?: string, binary = false): Rotation {
  const bound = aad?.replace("{key}", context.key);
  return {
    keys: [OLD, NEW],
    codec: (keys) => codecs.metabase({ keys, aad }),
    read: (stored, key) => readMetabase(stored, key, bound),
    binary,
  };
}

const n8n: Rotation = {
  keys: [OLD, NEW],
  codec: (instanceKeys) => codecs.n8n({ instanceKeys, expect: "json" }),
  read: (stored, key) => {
    const text = readN8n(stored, key);
    JSON.parse(text); // a wrong key gives garbage once in 256 times
    return text;
  },
};

/** Two rows under one instance key, of which one is active. */
function n8nRows(): Rotation {
  const dataKeys = new Map(["old", "new"].map((id) => [id, codecs.N8nDataKey.generate()]));
  return {
    keys: ["old", "new"],
    codec: (ids) => {
      const rows = ids.map((id) => ({
        id,
        type: "data_encryption",
        value: dataKeys.get(id)!.wrap(OLD),
        algorithm: "aes-256-gcm",
        status: id === ids[0] ? "active" : "inactive",
      }));
      return codecs.n8n({ instanceKeys: [OLD], rows, write: "prefixed" });
    },
    read: (stored, wanted) => {
      const [id, body] = stored.split(":") as [string, string];
      const text = readN8nGcm(body, Buffer.from(dataKeys.get(wanted)!.text(), "hex"));
      expect(id).toBe(wanted);
      return text;
    },
  };
}

const ROTATIONS: Record<string, Rotation> = {
  fernet: { keys: two(fernetKeys), codec: (keys) => codecs.fernet({ keys }), read: readFernet },
  sentry: sentry("text"),
  "sentry, JSON field": sentry("json"),
  rails: rails(),
  "rails, key references": rails({ storeKeyReferences: true }),
  "rails, envelope": rails({ envelope: true }),
  "rails, deterministic": rails({ deterministic: true }),
  "rails, MessagePack": rails({ serializer: "message_pack" }, true),
  "rails, digests": railsDigests,
  metabase: metabase(),
  "metabase, bytes": metabase(undefined, true),
  "metabase, associated data": metabase("setting.{key}"),
  n8n,
  "n8n, rows": n8nRows(),
  freeboard: {
    keys: two(base64Keys),
    codec: (keys) => codecs.freeboard({ keys }),
    read: readFreeboard,
  },
};

test.each(Object.keys(ROTATIONS))("to the new key and back: %s", (name) => {
  const { keys, codec, read, binary = false } = ROTATIONS[name]!;
  const [old, next] = keys;
  const made = new Map<string, Column<"text", boolean>>();
  const column = (...keys: string[]) => {
    const one = made.get(keys.join()) ?? new Column({ write: codec(keys), context, binary });
    made.set(keys.join(), one);
    return one;
  };

  function isRead(stored: string[], key: string, other: string): void {
    const opened = column(key).openMany(stored);
    expect(opened.map((item) => (item as { value: string }).value)).toEqual(TEXTS);
    expect(stored.map((value) => read(value, key))).toEqual(TEXTS);
    for (const value of stored) expect(() => read(value, other)).toThrow();
    for (const outcome of column(other).resealMany(stored)) {
      expect(["auth-failed", "unknown-key"]).toContain((outcome as { code?: string }).code);
    }
  }

  const before = column(old).sealMany(TEXTS) as string[];
  isRead(before, old, next);
  const rotated = moved(column(next, old), before);
  isRead(rotated, next, old);
  const back = moved(column(old, next), rotated);
  isRead(back, old, next);
  // What is deterministic comes back as it was, and nothing else does.
  const deterministic = name.includes("deterministic");
  expect(before.map((value, at) => value === back[at])).toEqual(TEXTS.map(() => deterministic));
});

/** What becomes of values under another key; afterwards they are current, and stay. */
function moved(column: Column<"text", boolean>, stored: string[]): string[] {
  const values = column.resealMany(stored).map((outcome) => {
    expect(outcome.outcome).toBe("resealed");
    return (outcome as { value: string }).value;
  });
  for (const outcome of column.resealMany(values)) expect(outcome.outcome).toBe("current");
  return values;
}
