// An application that reads the tables of n8n through Reseal, in whatever format the rows are.
import { Manifest } from "reseal";
import { compare, connected, read } from "../guide.mjs";
import { codeColumn, codesOf, keyRows } from "./tables.mjs";

const manifest = Manifest.load();
await connected(async (db) => {
  const rows = await keyRows(db);
  await read(manifest, { deployment_key: rows });
  const column = codeColumn(manifest, rows);
  const found = {};
  for (const { id, codes } of await codesOf(db)) {
    found[id] = codes.map((code) => column.open(code, { row: id }).value);
  }
  compare("node", { "user.mfaRecoveryCodes": found });
});
