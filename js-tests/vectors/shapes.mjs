// Runs a vector file of any shape. Runs in Node and in browsers.
import { runFrozen } from "./frozen.mjs";
import { runManifests } from "./manifest.mjs";
import { runReseal } from "./reseal.mjs";
import { runFernet } from "./systems/fernet.mjs";
import { runFreeboard } from "./systems/freeboard.mjs";
import { runLibraries } from "./systems/libraries.mjs";
import { runMetabase } from "./systems/metabase.mjs";
import { runN8n } from "./systems/n8n.mjs";
import { runRails } from "./systems/rails.mjs";
import { runSentry } from "./systems/sentry.mjs";
import { runValues } from "./values.mjs";
import { runAead, runHkdf, runMac } from "./wycheproof.mjs";
import { runXaes } from "./xaes.mjs";

/**
 * What a runner needs: the package under test, the testkit, the most iterations of the accumulated
 * hash of XAES.
 *
 * @typedef {{ reseal: typeof import("reseal"), testkit: (request: object) => any, iterations: number }} Tools
 */

/** The formats of other systems. */
const SYSTEMS = {
  "django-cryptography": runLibraries,
  "django-fernet": runLibraries,
  fernet: runFernet,
  "fernet-fields": runLibraries,
  freeboard: runFreeboard,
  metabase: runMetabase,
  n8n: runN8n,
  rails: runRails,
  sentry: runSentry,
  "sqlalchemy-utils": runLibraries,
};

/**
 * @param {any} document the parsed file
 * @param {Tools} tools
 * @returns {Promise<import("./report.mjs").Report>}
 */
export async function runDocument(document, tools) {
  const { format, algorithm, schema } = document;
  if (format === "RS1 vectors") return runReseal(document, tools);
  if (format === "RS1 frozen") return runFrozen(document, tools);
  if (format === "reseal-manifest-v1") return runManifests(document, tools);
  if (document.values === "v1") return runValues(document, tools);
  if (Object.hasOwn(SYSTEMS, document.system)) return SYSTEMS[document.system](document, tools);
  if (algorithm === "XAES-256-GCM") return runXaes(document, tools);
  if (algorithm === "AES-GCM" && schema === "aead_test_schema_v1.json") {
    return runAead(document, tools);
  }
  if (algorithm === "HKDF-SHA-256" && schema === "hkdf_test_schema_v1.json") {
    return runHkdf(document, tools);
  }
  if (algorithm === "HMACSHA256" && schema === "mac_test_schema_v1.json") {
    return runMac(document, tools);
  }
  throw new Error("no runner knows the shape of this file");
}
