// The readers and writers of the guides about n8n and Freeboard: proven on the vectors that these systems
// made. They share no code with the codecs.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as freeboard from "../examples/guides/freeboard/freeboard.mjs";
import * as n8n from "../examples/guides/n8n/n8n.mjs";

interface Vector {
  readonly id: string;
  readonly kind: string;
  readonly op: string;
  readonly format: string;
  readonly expect: string;
  readonly instance_key: string;
  readonly dek_hex: string;
  readonly keys: Record<string, string> | null;
  readonly plaintext: string;
  readonly plaintext_json: unknown;
}

interface FreeboardVector extends Vector {
  readonly ciphertext: Parameters<typeof freeboard.decrypt>[0];
}

interface N8nVector extends Vector {
  readonly ciphertext: string;
}

function vectorsOf<V extends Vector>(system: string): V[] {
  const path = new URL(`../spec/vectors/${system}/public.json`, import.meta.url);
  const { vectors } = JSON.parse(readFileSync(path, "utf8")) as { vectors: V[] };
  return vectors;
}

const n8nVectors = (format: string): N8nVector[] =>
  vectorsOf<N8nVector>("n8n").filter((it) => it.format === format && it.expect === "ok");

describe("the guide reads", () => {
  it("what n8n wrote without a data key", () => {
    const vectors = n8nVectors("n8n-legacy-cbc");
    for (const { id, ciphertext, instance_key, plaintext } of vectors) {
      // An export has a key of its own.
      if (id === "cbc-custom-key-export") continue;
      expect(n8n.decryptCbc(ciphertext, instance_key), id).toBe(plaintext);
    }
    expect(vectors.length).toBe(12);
  });

  it("what n8n wrote with one, and the key in its row", () => {
    const vectors = n8nVectors("n8n-prefixed-gcm").filter(({ dek_hex }) => dek_hex);
    for (const { id, ciphertext, dek_hex, plaintext } of vectors) {
      const [, body = ""] = ciphertext.split(":");
      expect(n8n.decryptGcm(body, dek_hex), id).toBe(plaintext);
    }
    expect(vectors.length).toBeGreaterThan(5);
    const wrapped = n8nVectors("n8n-dek-gcm");
    for (const { id, ciphertext, instance_key, plaintext } of wrapped) {
      expect(n8n.unwrap(ciphertext, instance_key), id).toBe(plaintext);
    }
    expect(wrapped.length).toBe(3);
  });

  it("what Freeboard wrote, and refuses what Freeboard refuses", () => {
    const counts = { read: 0, refused: 0 };
    for (const { id, kind, keys, ciphertext, plaintext_json } of vectorsOf<FreeboardVector>(
      "freeboard",
    )) {
      const key = Buffer.from(keys?.["CREDENTIAL_ENCRYPTION_KEY"] ?? "", "base64");
      if (!freeboard.isEncrypted(ciphertext)) continue;
      if (kind === "decrypt") {
        expect(freeboard.decrypt(ciphertext, key), id).toEqual(plaintext_json);
        counts.read += 1;
      } else {
        expect(() => freeboard.decrypt(ciphertext, key), id).toThrow();
        counts.refused += 1;
      }
    }
    expect(counts).toEqual({ read: 7, refused: 3 });
  });
});

it("the guide reads what it wrote, and not under another key", () => {
  const text = "пароль 🔑";
  expect(n8n.decryptCbc(n8n.encryptCbc(text, "instance"), "instance")).toBe(text);
  const value = n8n.wrap(text, "instance");
  expect(n8n.unwrap(value, "instance")).toBe(text);
  expect(() => n8n.unwrap(value, "another")).toThrow();
  const stored = freeboard.encrypt({ token: text }, Buffer.alloc(32, 1));
  expect(freeboard.decrypt(stored, Buffer.alloc(32, 1))).toEqual({ token: text });
  expect(() => freeboard.decrypt(stored, Buffer.alloc(32, 2))).toThrow();
});
