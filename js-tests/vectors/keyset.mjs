// The group `keyset`: one document under each of its three keys, and what is refused.
import { fromHex, known, refused, same, toHex } from "./report.mjs";
import { outOf } from "./testkit.mjs";

const KEKS = ["kek1", "kek1_text", "passphrase", "kek2", "kek3"];
/** A key that the document does not list. */
const OTHER = "00".repeat(32);

/** Runs every case of the group; `keys` are those of the file, also by their names. */
export async function runKeysets(group, keys, report, { reseal, testkit }) {
  known(group, [...KEKS, "canon_sha256", "file", "negative", "hedged"], "keyset");
  const { Key, Keyset } = reseal;
  const text = JSON.stringify(group.file);
  const openers = {
    kek1: () => Keyset.load(text, { kek: group.kek1_text }),
    kek2: () => Keyset.load(text, { passphrase: group.passphrase }),
    kek3: () => Keyset.loadAsync(text, { providers: [serviceOf(group)] }),
  };
  for (const [name, open] of Object.entries(openers)) {
    await report.awaited(`keyset under ${name}`, async () => {
      const keyset = await open();
      const held = keyset.keks().filter((kek) => kek.held);
      same("the KEK", held.map((kek) => kek.id).join(), kekOf(group, name, Key).id);
      positive(keyset, group.file, keys.all);
      shows(reseal.inspectKeyset(text), group.file);
    });
  }
  for (const one of group.negative ?? []) report.case(one.id, () => negative(one, group, reseal));
  for (const one of group.hedged ?? []) {
    report.case(one.id, () => hedged(one, kekOf(group, one.kek, Key), keys.get(one.key), testkit));
  }
}

function positive(keyset, file, keys) {
  shows(keyset, file);
  const secrets = new Map(keys.map((key) => [key.id, key.export()]));
  const listed = file.keys.filter(({ state }) => state !== "destroyed");
  sameJson(
    "the secrets",
    keyset.exportKeys(),
    Object.fromEntries(listed.map(({ kid }) => [kid, secrets.get(kid)])),
  );
  const inRing = keyset.keyring().keys();
  const ring = inRing.map(({ id, state, label }) => `${id} ${state} ${label}`);
  const inFile = file.keys.map(({ kid, state, label }) => `${kid} ${state} ${label}`);
  sameJson("the ring", ring.sort(), inFile.sort());
}

/** What a keyset, or its unverified view, shows. */
function shows(shown, file) {
  same("the ring id", shown.ringId, file.ring);
  same("the generation", shown.generation, file.generation);
  same("the time", shown.issued, file.issued);
  same("the lease", shown.leaseSeconds, file.lease_seconds);
  same("the primary", shown.primaryId, file.primary.data);
  same("the index primary", shown.indexPrimaryId, file.primary.index);
  const keks = shown.keks().map(({ id }) => id);
  sameJson(
    "the KEKs",
    keks,
    file.keks.map(({ id }) => id),
  );
  const factsOf = (id, { use, state, created, changed, label }) => [
    id,
    use,
    state,
    created,
    changed,
    label,
  ];
  const found = shown.keys().map((key) => factsOf(key.id, key));
  sameJson(
    "the keys",
    found,
    file.keys.map((key) => factsOf(key.kid, key)),
  );
}

function negative(one, group, { Key, Keyset, ResealError }) {
  known(one, ["id", "expect", "kek", "text", "args"], one.id);
  known(one.args, ["expect_ring", "min_generation"], "args");
  const { expect_ring: ring, min_generation: minGeneration } = one.args;
  const kek = kekOf(group, one.kek, Key);
  refused(ResealError, () => Keyset.load(one.text, { kek, ring, minGeneration }), one.expect);
}

/** The packages take no random bytes from anybody: the testkit wraps. */
function hedged(one, kek, key, testkit) {
  known(one, ["id", "kek", "key", "ring", "created", "random", "nonce", "wrap", "note"], one.id);
  const wrap = testkit({
    op: "wrap_hedged",
    kek_text: kek.export(),
    ring: one.ring,
    created: one.created,
    key_text: key.export(),
    random: one.random,
  });
  same("the wrap", outOf(wrap), one.wrap);
  const binary = atob(one.wrap.replaceAll("-", "+").replaceAll("_", "/"));
  const nonce = Uint8Array.from(binary.slice(0, 24), (byte) => byte.charCodeAt(0));
  same("the nonce", toHex(nonce), one.nonce);
}

function kekOf(group, name, Key) {
  return Key.fromBytes("kek", fromHex(group[name] ?? OTHER));
}

/** The key service of the document, which gives the bytes of a key. */
function serviceOf({ file, kek3 }) {
  const [source] = file.keks.flatMap(({ source }) => (source?.name === "external" ? [source] : []));
  return {
    name: source.provider,
    unwrap: async (reference, blob) => {
      same("the reference", reference, source.ref);
      const text = btoa(String.fromCharCode(...blob));
      same(
        "the blob",
        text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""),
        source.blob,
      );
      return fromHex(kek3);
    },
    wrap: async () => {
      throw new Error("the vectors wrap nothing");
    },
  };
}

function sameJson(what, got, expected) {
  same(what, JSON.stringify(got), JSON.stringify(expected));
}
