// Brings the recovery codes of each user to the codec that the manifest writes into user.mfaSecret.
import { Manifest } from "reseal";
import { connected } from "../guide.mjs";
import { codeColumn, codesOf, keyRows } from "./tables.mjs";

const UPDATE = `UPDATE "user" SET "mfaRecoveryCodes" = $1
  WHERE id = $2 AND "mfaRecoveryCodes" = $3`;

await connected(async (db) => {
  const column = codeColumn(Manifest.load(), await keyRows(db));
  let resealed = 0;
  for (const { id, text, codes } of await codesOf(db)) {
    const outcomes = codes.map((code) => column.reseal(code, { row: id }));
    if (outcomes.some(({ outcome }) => outcome === "refused")) {
      throw new Error(`a code of user ${id} does not open, and all of them stay as they are`);
    }
    const done = outcomes
      .map(({ outcome, value }, at) => (outcome === "resealed" ? value : codes[at]))
      .join(",");
    // Only where n8n has not written meanwhile: then run it again.
    if (done !== text) resealed += (await db.query(UPDATE, [done, id, text])).rowCount;
  }
  console.log(`recovery codes of ${resealed} users resealed`);
});
