// What runs in one place: the page, or its worker.
import { fc, gcm } from "/peers.mjs";
import { Report } from "../vectors/report.mjs";
import { runBadInput } from "./bad-input.mjs";
import { runBench } from "./bench.mjs";
import { lineOf, part, runOwn, runVectors } from "./sections.mjs";

const DEFAULT_RUNS = 100;

/**
 * One event at a time: a part with its `line`, a row of the bench, or the values for Node.
 *
 * @param {typeof import("reseal")} reseal not yet initialized
 * @param {URLSearchParams} options of the page: `runs`, `bench`
 */
export async function* runPlace(reseal, options) {
  for await (const one of runBadInput(part)) yield event(one);
  await reseal.init();
  const files = (await jsonOf("/files.json")).map(({ name, url }) => {
    return { name, read: () => jsonOf(url) };
  });
  const testkit = await WebAssembly.compile(await (await answerOf("/testkit.wasm")).arrayBuffer());
  const runs = Number(options.get("runs") ?? DEFAULT_RUNS);
  for await (const one of runVectors({ reseal, testkit, files })) yield event(one);
  for await (const one of runOwn({ reseal, fc, runs })) yield event(one);
  const { values, context, key, sealed } = await jsonOf("/exchange.json");
  const ring = new reseal.Keyring({ primary: key });
  yield event(
    await part("exchange", "values that Node sealed", () => opened(ring, sealed, values, context)),
  );
  yield { sealed: ring.sealMany(values, context) };
  for await (const row of runBench(reseal, gcm, options.get("bench"))) yield { bench: row };
}

function event(one) {
  return { part: { ...one, line: lineOf(one) } };
}

function opened(ring, sealed, values, context) {
  const report = new Report();
  values.forEach((value, i) => {
    report.case(`value ${i}`, () => {
      if (ring.openString(sealed[i], context) !== value) throw new Error("another value");
    });
  });
  return report;
}

async function jsonOf(url) {
  return (await answerOf(url)).json();
}

async function answerOf(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}
