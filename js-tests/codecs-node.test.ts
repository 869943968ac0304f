// What the codecs write, read by Node's own crypto, and the reverse.
import { createCipheriv, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { codecs } from "reseal";
import {
  n8nGcmKey,
  n8nKeyAndIv,
  railsKey,
  readFernet,
  readFreeboard,
  readMetabase,
  readN8n,
  readN8nGcm,
  readRails,
} from "./fixtures/readers.js";
import { refuses } from "./support.js";

const VALUES = ["{}", '{"token":"é🌍"}', JSON.stringify("x".repeat(1000))];
const INSTANCE_KEY = "NtGPGCiZ2k80z+aT80EnML2HkVPK/RaW";
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

function sealCbc(value: string | Uint8Array): string {
  const salt = randomBytes(8);
  const cipher = createCipheriv(
    "aes-256-cbc",
    ...n8nKeyAndIv(Buffer.from(INSTANCE_KEY, "latin1"), salt),
  );
  const head = [Buffer.from("Salted__"), salt];
  const body = [cipher.update(Buffer.from(value)), cipher.final()];
  return Buffer.concat([...head, ...body]).toString("base64");
}

test("n8n, AES-256-CBC", () => {
  const codec = codecs.n8n({ instanceKeys: [INSTANCE_KEY], expect: "json" });
  for (const value of VALUES) {
    const stored = codec.seal(value) as string;
    expect(Buffer.from(stored, "base64").subarray(0, 8).toString()).toBe("Salted__");
    expect(readN8n(stored, INSTANCE_KEY)).toBe(value);
    expect(text(codec.open(sealCbc(value)).plaintext)).toBe(value);
  }
});

test("n8n: JSON is UTF-8", () => {
  const stored = sealCbc(Buffer.from('{"a":"\xff"}', "latin1"));
  for (const expect of ["json", "utf8"] as const) {
    const codec = codecs.n8n({ instanceKeys: [INSTANCE_KEY], expect });
    refuses("auth-failed", () => codec.open(stored));
  }
});

test("n8n, AES-256-GCM", () => {
  const key = codecs.N8nDataKey.generate();
  const row = { id: "bEc5AmLGiLrtdybl", type: "data_encryption", value: key.wrap(INSTANCE_KEY), algorithm: "aes-256-gcm", status: "active" }; // prettier-ignore
  const codec = codecs.n8n({ instanceKeys: [INSTANCE_KEY], rows: [row], write: "prefixed" });
  const secret = Buffer.from(key.text(), "hex");
  for (const value of VALUES) {
    const [id, body] = (codec.seal(value) as string).split(":") as [string, string];
    expect(id).toBe(row.id);
    expect(readN8nGcm(body, secret)).toBe(value);
    const theirs = `${row.id}:${sealGcm(secret, value).toString("base64")}`;
    expect(text(codec.open(theirs).plaintext)).toBe(value);
  }
});

function sealGcm(secret: Buffer, value: string): Buffer {
  const salt = randomBytes(32);
  const cipher = createCipheriv("aes-256-gcm", ...n8nGcmKey(secret, salt));
  const body = Buffer.concat([cipher.update(value), cipher.final()]);
  return Buffer.concat([Buffer.of(1), salt, cipher.getAuthTag(), body]);
}

test("Freeboard", () => {
  const key = randomBytes(32);
  const codec = codecs.freeboard({ keys: [key.toString("base64")] });
  for (const value of VALUES) {
    expect(readFreeboard(codec.seal(value) as string, key.toString("base64"))).toBe(value);

    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, nonce);
    const body = Buffer.concat([cipher.update(value), cipher.final()]);
    const members = { iv: nonce, ciphertext: body, authTag: cipher.getAuthTag() };
    const encoded = Object.entries(members).map(([name, part]) => [name, part.toString("base64")]);
    const theirs = { algorithm: "aes-256-gcm", keyId: "v1", ...Object.fromEntries(encoded) };
    expect(text(codec.open(JSON.stringify(theirs)).plaintext)).toBe(value);
  }
});

test("Fernet", () => {
  const key = `${randomBytes(32).toString("base64url")}=`;
  const codec = codecs.fernet({ keys: [key] });
  for (const value of VALUES) expect(readFernet(codec.seal(value) as string, key)).toBe(value);
});

test("Rails", () => {
  const key = railsKey("a key", "a salt", "sha256");
  for (const compress of [true, false]) {
    const codec = codecs.rails({ primaryKeys: ["a key"], keyDerivationSalt: "a salt", compress });
    for (const value of VALUES) expect(readRails(codec.seal(value) as string, key)).toBe(value);
  }
});

test("Metabase", () => {
  const secret = "a secret of Metabase, as long as it likes";
  const codec = codecs.metabase({ keys: [secret] });
  for (const value of VALUES) expect(readMetabase(codec.seal(value) as string, secret)).toBe(value);
});
