// How quick are the codecs? `node bench/codecs.mjs [--json FILE] [--rounds N]`
//
// To open 10,000 credentials of n8n, beside a loop over node:crypto that does the same; then what
// each codec takes to open a value, and a column to bring it to an envelope. As in peers.mjs the
// ways run in turns, and nothing is asserted but that they agree.
import { createDecipheriv, createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { codecs, Column, Key, Keyring, version } from "reseal";
import { measure, show } from "./lib/rounds.mjs";

const { values: options } = parseArgs({
  options: { json: { type: "string" }, rounds: { type: "string", default: "21" } },
});
const ROUNDS = Number(options.rounds);
const COUNT = 10_000;
const EACH = 1_000;

const instanceKey = "NtGPGCiZ2k80z+aT80EnML2HkVPK/RaW";
const password = Buffer.from(instanceKey, "latin1");
const secrets = (count) =>
  Array.from({ length: count }, (_, i) =>
    JSON.stringify({ user: `user ${i}`, token: "x".repeat(40) }),
  );
const MESSAGE_PACK = "rails, MessagePack";
/** What stands in binary columns. */
const OF_BYTES = [MESSAGE_PACK, "fernet-fields", "django-cryptography"];
const table = [];

comparePeer(
  "n8n, AES-256-CBC",
  codecs.n8n({ instanceKeys: [instanceKey], expect: "json" }),
  openCbc,
);
compareAll();
report();

/** A column opens many values; a loop opens each. */
function comparePeer(name, codec, openOne) {
  const column = new Column({ write: codec });
  const plaintexts = secrets(COUNT);
  const stored = column.sealMany(plaintexts);
  const ours = () => column.openMany(stored);
  const loop = () => stored.map(openOne);
  if (ours().some(({ value }, i) => value !== plaintexts[i])) throw new Error("we do not agree");
  if (loop().some((value, i) => value !== plaintexts[i]))
    throw new Error("the loop does not agree");
  compare(`open ${COUNT}: ${name}`, {
    Column: [ours, COUNT],
    "node:crypto": [loop, COUNT],
    "Column, one by one": [() => stored.map((value) => column.open(value).value), COUNT],
  });
}

/** As OpenSSL's EVP_BytesToKey with MD5, and the check that the plaintext is JSON. */
function openCbc(stored) {
  const bytes = Buffer.from(stored, "base64");
  const salt = bytes.subarray(8, 16);
  let digest = Buffer.alloc(0);
  const digests = [];
  for (let round = 0; round < 3; round++) {
    digest = createHash("md5").update(digest).update(password).update(salt).digest();
    digests.push(digest);
  }
  const [key, more, iv] = digests;
  const decipher = createDecipheriv("aes-256-cbc", Buffer.concat([key, more]), iv);
  const text = decipher.update(bytes.subarray(16), undefined, "utf8") + decipher.final("utf8");
  JSON.parse(text);
  return text;
}

function compareAll() {
  const ring = new Keyring({ primary: Key.generate() });
  const app = codecs.reseal(ring, { name: "app" });
  const row = { id: "bEc5AmLGiLrtdybl", type: "data_encryption", value: codecs.N8nDataKey.generate().wrap(instanceKey), algorithm: "aes-256-gcm", status: "active" }; // prettier-ignore
  const fernetKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
  // How a program makes each codec, once: it derives the keys.
  const makers = {
    plain: () => codecs.plain(),
    reseal: () => codecs.reseal(new Keyring({ primary: Key.generate() })),
    fernet: () => codecs.fernet({ keys: [fernetKey] }),
    "django-fernet": () => codecs.djangoFernet({ secrets: ["a secret"], salts: ["a salt"] }),
    "fernet-fields": () => codecs.fernetFields({ secrets: ["a secret"] }),
    "django-cryptography": () => codecs.djangoCryptography({ secrets: ["a secret"] }),
    "sqlalchemy-utils, AES": () => codecs.sqlalchemyUtils({ keys: ["a key"], expect: "json" }),
    "sqlalchemy-utils, GCM": () => codecs.sqlalchemyUtils({ keys: ["a key"], engine: "aes-gcm" }),
    "sqlalchemy-utils, Fernet": () => codecs.sqlalchemyUtils({ keys: ["a key"], engine: "fernet" }),
    sentry: () => codecs.sentry({ keys: { a: fernetKey }, primary: "a" }),
    rails: () => codecs.rails({ primaryKeys: ["a key"], keyDerivationSalt: "a salt" }),
    "rails, deterministic": () => codecs.rails({ deterministicKeys: ["a key"], keyDerivationSalt: "a salt", deterministic: true }), // prettier-ignore
    [MESSAGE_PACK]: () => codecs.rails({ primaryKeys: ["a key"], keyDerivationSalt: "a salt", serializer: "message_pack" }), // prettier-ignore
    metabase: () => codecs.metabase({ keys: ["a secret of Metabase, as long as it likes"] }),
    "n8n, CBC": () => codecs.n8n({ instanceKeys: [instanceKey], expect: "json" }),
    "n8n, GCM": () => codecs.n8n({ instanceKeys: [instanceKey], rows: [row], write: "prefixed" }),
    freeboard: () => codecs.freeboard({ keys: ["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="] }),
  };
  const plaintexts = secrets(EACH);
  const [open, convert] = [{}, {}];
  for (const [name, make] of Object.entries(makers)) {
    const codec = make();
    const binary = OF_BYTES.includes(name);
    const column = new Column({ write: codec, binary });
    const stored = column.sealMany(plaintexts);
    open[name] = [() => column.openMany(stored), EACH];
    const target = new Column({ write: app, read: [codec], binary });
    const outcomes = target.resealMany(stored);
    if (outcomes.some(({ outcome }) => outcome !== "resealed")) throw new Error(`${name} refuses`);
    convert[name] = [() => target.resealMany(stored), EACH];
  }
  compare("open", open);
  compare("convert to an envelope", convert);
  const build = Object.entries(makers).map(([name, make]) => [name, () => make().dispose()]);
  compare("make the codec, once", Object.fromEntries(build));
}

function compare(operation, ways) {
  const [first] = Object.keys(ways);
  const { micros, ratios } = measure(ways, first, ROUNDS);
  for (const [way, microseconds] of Object.entries(micros)) {
    table.push({ operation, way, microseconds, ratio: ratios[way] ?? 1 });
  }
}

function report() {
  const lines = [
    `reseal ${version}, Node ${process.version}, ${ROUNDS} rounds, values of about 70 bytes`,
    "",
    "| operation | way | µs per value | values per second | time of the first way / time of it |",
    "|---|---|---:|---:|---:|",
    ...table.map(({ operation, way, microseconds, ratio }) => {
      const rate = Math.round(1e6 / microseconds);
      return `| ${operation} | ${way} | ${show(microseconds)} | ${rate} | ${ratio.toFixed(3)} |`;
    }),
  ];
  console.log(lines.join("\n"));
  if (options.json === undefined) return;
  const document = { version, node: process.version, rounds: ROUNDS, results: table };
  writeFileSync(options.json, `${JSON.stringify(document, null, 2)}\n`);
}
