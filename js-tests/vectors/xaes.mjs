// The shape of the XAES-256-GCM specification, through the testkit.
import { Report, same } from "./report.mjs";
import { outOf } from "./testkit.mjs";

export function runXaes(file, { testkit, iterations }) {
  const report = new Report();
  for (const one of file.vectors) report.case(one.source, () => vector(one, testkit));
  for (const [name, expected] of Object.entries(file.accumulated ?? {})) {
    const count = /^iterations_([0-9]+)$/.exec(name)?.[1];
    if (count === undefined) continue;
    if (Number(count) > iterations) {
      report.leaveOut(1, "the long accumulated hash runs in make assure");
      continue;
    }
    const request = { op: "xaes_accumulated", iterations: Number(count) };
    report.case(name, () => same("accumulated hash", outOf(testkit(request)), expected));
  }
  return report;
}

function vector(one, testkit) {
  const { key, nonce, aad } = one;
  const sealed = testkit({ op: "xaes_seal", key, nonce, aad, message: one.plaintext });
  same("ciphertext", outOf(sealed), one.ciphertext_with_tag);
  const opened = testkit({ op: "xaes_open", key, nonce, aad, sealed: one.ciphertext_with_tag });
  same("plaintext", outOf(opened), one.plaintext);
  if (one.K1 !== undefined) same("K1", sealed.k1, one.K1);
}
