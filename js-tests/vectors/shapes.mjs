// Runs a vector file of any shape. Runs in Node and in browsers.
import { runFrozen } from "./frozen.mjs";
import { runReseal } from "./reseal.mjs";
import { runAead, runHkdf, runMac } from "./wycheproof.mjs";
import { runXaes } from "./xaes.mjs";

/**
 * What a runner needs: the package under test, the testkit, the most iterations of the accumulated
 * hash of XAES.
 *
 * @typedef {{ reseal: typeof import("reseal"), testkit: (request: object) => any, iterations: number }} Tools
 */

/**
 * @param {any} document the parsed file
 * @param {Tools} tools
 * @returns {Promise<import("./report.mjs").Report>}
 */
export async function runDocument(document, tools) {
  const { format, algorithm, schema } = document;
  if (format === "RS1 vectors") return runReseal(document, tools);
  if (format === "RS1 frozen") return runFrozen(document, tools);
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
