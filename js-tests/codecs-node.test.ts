// What the codecs write, read by Node's own crypto, and the reverse.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  hkdfSync,
  pbkdf2Sync,
  randomBytes,
} from "node:crypto";
import { expect, test } from "vitest";
import { codecs } from "reseal";

const VALUES = ["{}", '{"token":"é🌍"}', JSON.stringify("x".repeat(1000))];
const INSTANCE_KEY = "NtGPGCiZ2k80z+aT80EnML2HkVPK/RaW";
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** As OpenSSL's EVP_BytesToKey with MD5, which n8n uses: 32 bytes of key and 16 of IV. */
function keyAndIv(password: Buffer, salt: Buffer): [key: Buffer, iv: Buffer] {
  const digests: Buffer[] = [Buffer.alloc(0)];
  for (let round = 0; round < 3; round++) {
    const all = Buffer.concat([digests[round]!, password, salt]);
    digests.push(createHash("md5").update(all).digest());
  }
  const bytes = Buffer.concat(digests);
  return [bytes.subarray(0, 32), bytes.subarray(32)];
}

function openCbc(stored: string): string {
  const bytes = Buffer.from(stored, "base64");
  const [key, iv] = keyAndIv(Buffer.from(INSTANCE_KEY, "latin1"), bytes.subarray(8, 16));
  const decipher = createDecipheriv("aes-256-cbc", key, iv);
  return Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString();
}

function sealCbc(value: string): string {
  const salt = randomBytes(8);
  const [key, iv] = keyAndIv(Buffer.from(INSTANCE_KEY, "latin1"), salt);
  const cipher = createCipheriv("aes-256-cbc", key, iv);
  const head = [Buffer.from("Salted__"), salt];
  return Buffer.concat([...head, cipher.update(value), cipher.final()]).toString("base64");
}

test("n8n, AES-256-CBC", () => {
  const codec = codecs.n8n({ instanceKeys: [INSTANCE_KEY], expect: "json" });
  for (const value of VALUES) {
    const stored = codec.seal(value) as string;
    expect(Buffer.from(stored, "base64").subarray(0, 8).toString()).toBe("Salted__");
    expect(openCbc(stored)).toBe(value);
    expect(text(codec.open(sealCbc(value)).plaintext)).toBe(value);
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
    expect(openGcm(secret, Buffer.from(body, "base64"))).toBe(value);
    const theirs = `${row.id}:${sealGcm(secret, value).toString("base64")}`;
    expect(text(codec.open(theirs).plaintext)).toBe(value);
  }
});

/** Key and IV come from the data key and a salt: version, salt, tag, ciphertext. */
function gcmKey(secret: Buffer, salt: Buffer): [key: Buffer, iv: Buffer] {
  const derived = Buffer.from(hkdfSync("sha256", secret, salt, "n8n-encryption-v1", 44));
  return [derived.subarray(0, 32), derived.subarray(32)];
}

function openGcm(secret: Buffer, blob: Buffer): string {
  expect(blob[0]).toBe(1);
  const [key, iv] = gcmKey(secret, blob.subarray(1, 33));
  const decipher = createDecipheriv("aes-256-gcm", key, iv).setAuthTag(blob.subarray(33, 49));
  return Buffer.concat([decipher.update(blob.subarray(49)), decipher.final()]).toString();
}

function sealGcm(secret: Buffer, value: string): Buffer {
  const salt = randomBytes(32);
  const cipher = createCipheriv("aes-256-gcm", ...gcmKey(secret, salt));
  const body = Buffer.concat([cipher.update(value), cipher.final()]);
  return Buffer.concat([Buffer.of(1), salt, cipher.getAuthTag(), body]);
}

test("Freeboard", () => {
  const key = randomBytes(32);
  const codec = codecs.freeboard({ keys: [key.toString("base64")] });
  for (const value of VALUES) {
    const row = JSON.parse(codec.seal(value) as string) as Record<string, string>;
    expect([row["algorithm"], row["keyId"]]).toEqual(["aes-256-gcm", "v1"]);
    const [iv, ciphertext, tag] = ["iv", "ciphertext", "authTag"].map((name) =>
      Buffer.from(row[name]!, "base64"),
    ) as [Buffer, Buffer, Buffer];
    const decipher = createDecipheriv("aes-256-gcm", key, iv).setAuthTag(tag);
    expect(Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString()).toBe(value);

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
  const key = randomBytes(32);
  const codec = codecs.fernet({ keys: [`${key.toString("base64url")}=`] });
  for (const value of VALUES) {
    const token = Buffer.from(codec.seal(value) as string, "base64url");
    const [signed, tag] = [token.subarray(0, -32), token.subarray(-32)];
    expect(createHmac("sha256", key.subarray(0, 16)).update(signed).digest()).toEqual(tag);
    const decipher = createDecipheriv("aes-128-cbc", key.subarray(16), signed.subarray(9, 25));
    const plaintext = [decipher.update(signed.subarray(25)), decipher.final()];
    expect(Buffer.concat(plaintext).toString()).toBe(value);
  }
});

test("Rails", () => {
  const key = pbkdf2Sync("a key", "a salt", 65_536, 32, "sha256");
  const codec = codecs.rails({ primaryKeys: ["a key"], keyDerivationSalt: "a salt", compress: false }); // prettier-ignore
  for (const value of VALUES) {
    const { p, h } = JSON.parse(codec.seal(value) as string) as { p: string; h: { iv: string; at: string } }; // prettier-ignore
    const [payload, iv, tag] = [p, h.iv, h.at].map((part) => Buffer.from(part, "base64"));
    const decipher = createDecipheriv("aes-256-gcm", key, iv!).setAuthTag(tag!);
    expect(Buffer.concat([decipher.update(payload!), decipher.final()]).toString()).toBe(value);
  }
});

test("Metabase", () => {
  const secret = "a secret of Metabase, as long as it likes";
  const derived = pbkdf2Sync(secret, "", 100_000, 64, "sha512");
  const codec = codecs.metabase({ keys: [secret] });
  for (const value of VALUES) {
    const sealed = Buffer.from(codec.seal(value) as string, "base64");
    const [signed, tag] = [sealed.subarray(0, -32), sealed.subarray(-32)];
    const mac = createHmac("sha512", derived.subarray(0, 32)).update(signed).digest();
    expect(mac.subarray(0, 32)).toEqual(tag);
    const decipher = createDecipheriv("aes-256-cbc", derived.subarray(32), signed.subarray(0, 16));
    const plaintext = [decipher.update(signed.subarray(16)), decipher.final()];
    expect(Buffer.concat(plaintext).toString()).toBe(value);
  }
});
