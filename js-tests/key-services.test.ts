// Key services: keysets whose key-encrypting key is kept elsewhere.
import { expect, test } from "vitest";
import { Key, Keyring, Keyset, MemoryKekProvider, ResealError, type KekProvider } from "reseal";
import { classOf } from "./support.js";

const RING = new Keyring({ primary: Key.generate() });
const any = (value: unknown) => value as never;

/** A service of another name, which notes how it was asked. */
class Service implements KekProvider {
  readonly asked: string[] = [];
  readonly #memory = new MemoryKekProvider(RING);

  constructor(
    readonly name = "vault-transit",
    private readonly broken = false,
  ) {}

  async unwrap(reference: string, blob: Uint8Array): Promise<Uint8Array> {
    this.asked.push(`unwrap ${reference}`);
    await Promise.resolve();
    if (this.broken) throw new TypeError("no route to the service");
    return this.#memory.unwrap(reference, blob);
  }

  async wrap(reference: string, content: Uint8Array): Promise<Uint8Array> {
    this.asked.push(`wrap ${reference}`);
    await Promise.resolve();
    return this.#memory.wrap(reference, content);
  }
}

/** Expects that a step rejects with this code, and throws nothing before. */
async function rejects(code: string, step: () => Promise<unknown>): Promise<ResealError> {
  const error: unknown = await step().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ResealError);
  expect((error as ResealError).code, (error as ResealError).message).toBe(code);
  expect((error as ResealError).constructor).toBe(classOf(any(code)));
  return error as ResealError;
}

test("a keyset of a service", async () => {
  const service = new Service();
  const place = { provider: service, reference: "keys/é" };
  const keyset = await Keyset.createAsync({ ...place, leaseSeconds: 60, now: 0 });
  const id = keyset.rotate("data", { label: "2026-q4" });
  expect(keyset.keks()).toMatchObject([
    { kind: "external", provider: "vault-transit", reference: "keys/é", held: true },
  ]);
  expect(keyset.issued).toBe("1970-01-01T00:00:00Z");
  const loaded = await Keyset.loadAsync(keyset.save(), { providers: [service] });
  expect([loaded.primaryId, loaded.leaseSeconds, loaded.generation]).toEqual([id, 60, 1]);
  expect(service.asked).toEqual(["wrap keys/é", "unwrap keys/é"]);
  const again = Buffer.from(loaded.save());
  expect((await Keyset.loadAsync(again, { providers: [service] })).generation).toBe(2);
});

test("a service and a key side by side", async () => {
  const [kek, service, other] = [Key.generate("kek"), new Service(), new Service("kms")];
  const keyset = Keyset.create({ kek });
  for (const provider of [service, other]) {
    expect(await keyset.addProviderKek(provider, "keys/app")).toBe(keyset.keks().at(-1)!.id);
  }
  const text = keyset.save();
  const broken = new Service("kms", true);
  const held = async (options: Parameters<typeof Keyset.loadAsync>[1]) =>
    (await Keyset.loadAsync(text, options)).keks().map((one) => one.held);

  expect(await held({ providers: [service] })).toEqual([false, true, false]);
  expect(await held({ providers: [other, service], kek: [kek.export()] })).toEqual([true, true, true]); // prettier-ignore
  // One is enough, as with every key-encrypting key.
  expect(await held({ providers: [broken, service] })).toEqual([false, true, false]);
  expect(await held({ providers: [broken], kek })).toEqual([true, false, false]);
  expect(await held({ providers: [], kek })).toEqual([true, false, false]);
  await expect(held({ providers: [broken] })).rejects.toThrow(new TypeError("no route to the service")); // prettier-ignore
  await rejects("kek-mismatch", () => held({ providers: [new Service("azure")] }));
  const error = await rejects("kek-mismatch", () => held({ providers: [] }));
  expect(error.message).toContain("no key of a key service");
});

test("several keys of one service", async () => {
  const service = new Service();
  const keyset = await Keyset.createAsync({ provider: service, reference: "keys/a" });
  await keyset.addProviderKek(service, "keys/b");
  const text = keyset.save();
  service.asked.length = 0;
  const loaded = await Keyset.loadAsync(text, { providers: [service] });
  loaded.verify();
  expect(service.asked).toEqual(["unwrap keys/a", "unwrap keys/b"]);
});

test("services that do what they should not", async () => {
  const service = new Service();
  const keyset = await Keyset.createAsync({ provider: service, reference: "" });
  const text = keyset.save();
  const answering = (answer: unknown) => () => {
    const name = "vault-transit";
    const provider = { name, unwrap: () => Promise.resolve(answer), wrap: () => undefined };
    return Keyset.loadAsync(text, { providers: [any(provider)] });
  };
  await rejects("kek-mismatch", answering(new Uint8Array(32)));
  await rejects("invalid-key", answering(new Uint8Array(31)));
  await rejects("invalid-key", answering(new Uint8Array(2 ** 24)));
  for (const answer of [undefined, null, "x".repeat(32), Array(32).fill(0)]) {
    await rejects("invalid-argument", answering(answer));
  }
});

test("a service that wipes what it was given, or keeps it", async () => {
  let kept = new Uint8Array(0);
  const memory = new MemoryKekProvider(RING);
  const provider: KekProvider = {
    name: "wiper",
    unwrap: (reference, blob) => memory.unwrap(reference, blob),
    wrap: async (reference, content) => {
      const blob = await memory.wrap(reference, content);
      kept = content;
      return blob;
    },
  };
  const keyset = await Keyset.createAsync({ provider, reference: "x" });
  expect(kept).toEqual(new Uint8Array(32));
  const loaded = await Keyset.loadAsync(keyset.save(), { providers: [provider] });
  const zeros = Key.fromBytes("kek", new Uint8Array(32));
  expect(loaded.keks()[0]!.id).not.toBe(zeros.id);
});

test("a service that hands what it was given to a worker", async () => {
  const memory = new MemoryKekProvider(RING);
  const provider: KekProvider = {
    name: "worker",
    unwrap: (reference, blob) => memory.unwrap(reference, blob),
    wrap: (reference, content) => {
      return memory.wrap(reference, structuredClone(content, { transfer: [content.buffer] }));
    },
  };
  const keyset = await Keyset.createAsync({ provider, reference: "x" });
  const loaded = await Keyset.loadAsync(keyset.save(), { providers: [provider] });
  expect(loaded.keks()).toMatchObject([{ provider: "worker", held: true }]);
});

test("a document that changes while a service is asked", async () => {
  const service = new Service();
  const keyset = await Keyset.createAsync({ provider: service, reference: "x" });
  const bytes = Buffer.from(keyset.save());
  const loading = Keyset.loadAsync(bytes, { providers: [service] });
  bytes.fill(0);
  expect((await loading).generation).toBe(1);
});

test.each([new Uint8Array(0), new Uint8Array(8193), new Uint8Array(2 ** 24), "text", null])(
  "a blob that is none: %#",
  async (blob) => {
    const provider = any({ name: "x", wrap: () => Promise.resolve(blob), unwrap: () => undefined });
    await rejects("invalid-argument", () => Keyset.createAsync({ provider, reference: "x" }));
  },
);

test.each(["", "Vault", "1x", "x".repeat(33), "\ud800", null, 1])(
  "a name that is none: %s",
  async (name) => {
    const provider = new Service(any(name));
    await rejects("invalid-argument", () => Keyset.createAsync({ provider, reference: "x" }));
  },
);

test.each(["x".repeat(1025), "a\nb", "\ud800", null, undefined, 1, "x".repeat(100_000)])(
  "a reference that is none: %#",
  async (wrong) => {
    const place = { provider: new Service(), reference: any(wrong) };
    await rejects("invalid-argument", () => Keyset.createAsync(place));
  },
);

test("arguments that are none", async () => {
  const provider = new Service();
  const keyset = await Keyset.createAsync({ provider, reference: "x" });
  const text = keyset.save();
  for (const wrong of [null, undefined, 1, provider, "x", [1], [null], [{ name: "x" }]]) {
    const options = { providers: any(wrong) };
    await rejects("invalid-argument", () => Keyset.loadAsync(text, options));
  }
  for (const kek of [1, Buffer.from("x"), [1], {}]) {
    const options = { providers: [], kek: any(kek) };
    await rejects("invalid-argument", () => Keyset.loadAsync(text, options));
  }
  for (const wrong of [null, undefined, 1, "x", {}]) {
    const place = { provider: any(wrong), reference: "x" };
    await rejects("invalid-argument", () => Keyset.createAsync(place));
    await rejects("invalid-argument", () => keyset.addProviderKek(any(wrong), "x"));
  }
  await rejects("invalid-argument", () => Keyset.loadAsync(text, any(undefined)));
  await rejects("invalid-argument", () => Keyset.createAsync(any({ provider, ref: "x" })));
  await rejects("keyset-malformed", () => Keyset.loadAsync("{}", { providers: [provider] }));
  keyset.dispose();
  await rejects("invalid-argument", () => keyset.addProviderKek(provider, "x"));
});

test("without randomness there is no key", async () => {
  const real = crypto.getRandomValues;
  crypto.getRandomValues = () => {
    throw new Error("no entropy");
  };
  try {
    const place = { provider: new Service(), reference: "x" };
    await rejects("random-unavailable", () => Keyset.createAsync(place));
  } finally {
    crypto.getRandomValues = real;
  }
});

test("the service for tests", async () => {
  const [one, two] = [new MemoryKekProvider(), new MemoryKekProvider()];
  const content = new Uint8Array(32).fill(7);
  const blob = await one.wrap("keys/a", content);
  expect(await one.unwrap("keys/a", blob)).toEqual(content);
  await rejects("auth-failed", () => one.unwrap("keys/b", blob));
  await rejects("unknown-key", () => two.unwrap("keys/a", blob));
  expect(one.name).toBe("memory");
  expect(() => new MemoryKekProvider(any({}))).toThrow(ResealError);
});
