// How quick is the job on real databases? `node --preserve-symlinks bench/jobs.mjs [--rows N]
// [--rounds N] [--only DATABASE] [--not-durable] [--json FILE]`
//
// Beside it, in turns: `bare`, the same statements with precomputed values and no cryptography, through
// the same driver, in batches of 500, with the second look at all rows that the job takes as well; and
// `script`, which opens and seals every row with node:crypto and updates it by itself, each update a
// transaction of its own, or all of them one; it is timed with 10,000 rows. The servers keep what is committed, as they do out of the
// box, unless they are not to. The key census beside a GROUP BY of starts alone.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Key, Keyring, Manifest, version } from "reseal";
import { apply, census } from "reseal/jobs";
import { bare, encrypt, groupBy, script } from "./lib/job-peers.mjs";
import { CONTEXT, MANIFEST, places, plaintexts } from "./lib/job-tables.mjs";
import { median } from "./lib/rounds.mjs";

const { values: options } = parseArgs({
  options: {
    json: { type: "string" },
    rows: { type: "string", default: "200000" },
    rounds: { type: "string", default: "3" },
    "not-durable": { type: "boolean", default: false },
    only: { type: "string", multiple: true },
  },
});
const ROWS = Number(options.rows);
const ROUNDS = Number(options.rounds);
// Of these the script is timed: its rate does not depend on how many there are, and its commits take long.
const SCRIPT_ROWS = Math.min(ROWS, 10_000);
const CENSUS_TIMES = 5;
const PASSES = 2;
// A rate of the job over that of the peer, at least.
const BARE_BAR = { PostgreSQL: 0.5, MariaDB: 0.5 };
const SCRIPT_BAR = { PostgreSQL: 5 };
// A time of the job over that of the peer, at most.
const CENSUS_BAR = 1.5;

const [before, after] = [Key.generate(), Key.generate()];
for (const name of Object.keys(process.env)) {
  if (name.startsWith("RESEAL_")) delete process.env[name];
}
process.env.RESEAL_PRIMARY_KEY = after.export();
process.env.RESEAL_DECRYPT_KEYS = before.export();
const manifest = Manifest.parse(MANIFEST);
const aesKeys = [randomBytes(32), randomBytes(32)];
const texts = plaintexts(ROWS);
const [sealedBefore, sealedAfter] = [before, after].map((primary) =>
  new Keyring({ primary }).sealMany(texts, CONTEXT),
);
const table = [];

console.log(
  "| operation | database | way | rows per second | rate of the job / rate of it | wanted | |",
);
console.log("|---|---|---|---:|---:|---:|---|");
const folder = mkdtempSync(join(tmpdir(), "reseal-bench-"));
try {
  for (const place of places(folder, !options["not-durable"])) {
    if (options.only === undefined || options.only.includes(place.name)) await measure(place);
  }
} finally {
  rmSync(folder, { recursive: true });
}
const load = loadavg().map((part) => part.toFixed(2));
console.log(
  `\nreseal ${version}, Node ${process.version}, ${ROWS} rows, ${ROUNDS} rounds, servers ${options["not-durable"] ? "not durable" : "durable"}, load ${load.join(" ")}`,
);
if (options.json) writeFileSync(options.json, JSON.stringify({ rows: table }, undefined, 1));

async function measure(place) {
  await place.fill("bench_plain", texts);
  await place.fill("bench_sealed", sealedBefore);
  await place.fill(
    "bench_tokens",
    texts.slice(0, SCRIPT_ROWS).map((text) => encrypt(aesKeys[0], text)),
  );
  let rotation;
  for (const [operation, source] of [
    ["encrypt", "bench_plain"],
    ["rotate", "bench_sealed"],
  ]) {
    const ways = {
      job: () => applied(place),
      bare: () => bare(place, sealedAfter, PASSES),
    };
    const times = await timed(place, ways, source, ROUNDS);
    compare(place, operation, times, BARE_BAR[place.name]);
    rotation = times.job;
  }
  for (const isOneTransaction of [false, true]) {
    if (place.name === "SQLite" && !isOneTransaction) continue;
    const way = isOneTransaction ? "script, one transaction" : "script, a transaction for each row";
    const ways = { [way]: () => script(place, ...aesKeys, isOneTransaction) };
    const [took] = (await timed(place, ways, "bench_tokens", 1))[way];
    const bar = isOneTransaction ? undefined : SCRIPT_BAR[place.name];
    // As long as it would take for all rows.
    const times = { job: [median(rotation)], [way]: [(took * ROWS) / SCRIPT_ROWS] };
    compare(place, "rotate", times, bar, true);
  }
  await count(place);
  await place.clean();
}

/** All rows come under the new key. */
async function applied(place) {
  const report = await apply(place.url, { manifest });
  const moved = report.columns[0].total.resealed.reduce((sum, { values }) => sum + values, 0);
  if (report.end !== "complete" || moved !== ROWS) throw new Error("the job left rows");
}

/** Seconds of each way; they take turns, each with a table that is as it was. */
async function timed(place, ways, source, rounds) {
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const names = Object.keys(ways);
    for (const name of round % 2 === 0 ? names : names.reverse()) {
      await place.renew(source);
      times[name].push(await seconds(ways[name]));
      await check(place, source);
    }
  }
  return times;
}

/** Nothing is as it was. */
async function check(place, source) {
  const [rows, least, greatest] = await place.extremes();
  const isScript = source === "bench_tokens";
  const start = isScript ? "" : `rs1.${after.id}.`;
  if (
    rows !== (isScript ? SCRIPT_ROWS : ROWS) ||
    !least.startsWith(start) ||
    !greatest.startsWith(start)
  ) {
    throw new Error("a way did not do its work");
  }
}

function compare(place, operation, times, bar, onlyPeers = false, rows = ROWS) {
  for (const [way, own] of Object.entries(times)) {
    const isJob = way === "job";
    if (isJob && onlyPeers) continue;
    const ratio = median(own.map((time, round) => time / times.job[round]));
    const rate = rows / median(own);
    const wanted = isJob ? undefined : bar;
    const met = wanted === undefined ? undefined : ratio >= wanted;
    table.push({ operation, database: place.name, way, rate, ratio, bar: wanted, met });
    const judged = met === undefined ? "" : met ? "met" : "missed";
    const cells = [operation, place.name, way, rate.toFixed(0), ratio.toFixed(2)];
    console.log(`| ${[...cells, wanted?.toFixed(2) ?? "", judged].join(" | ")} |`);
  }
}

/** Counting by keys alone, of five times as many rows. */
async function count(place) {
  const total = ROWS * CENSUS_TIMES;
  await place.renew("bench_sealed", CENSUS_TIMES, ROWS);
  const characters = `rs1.${after.id}.`.length;
  const ways = {
    job: async () => {
      const report = await census(place.url, { manifest, keysOnly: true });
      return report.columns[0].total.scanned;
    },
    "GROUP BY left(…)": () => groupBy(place, characters),
  };
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    const names = Object.keys(ways);
    for (const name of round % 2 === 0 ? names : names.reverse()) {
      let counted;
      const took = await seconds(async () => (counted = await ways[name]()));
      if (counted !== total) throw new Error(`${name} did not count every row`);
      // The first round warms the caches of the server.
      if (round > 0) times[name].push(took);
    }
  }
  compare(place, "census --keys-only", times, 1 / CENSUS_BAR, false, total);
}

async function seconds(way) {
  const start = performance.now();
  await way();
  return (performance.now() - start) / 1000;
}
