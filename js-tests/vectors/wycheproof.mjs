// The shapes of Project Wycheproof, for the sizes that the envelope uses, through the testkit.
import { Report, same } from "./report.mjs";
import { outOf } from "./testkit.mjs";

export function runAead(file, { testkit }) {
  const applies = (group) => group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128;
  return run(file, applies, (test, valid) => {
    const { key, iv, aad } = test;
    const opened = testkit({ op: "aes_gcm_open", key, iv, aad, sealed: test.ct + test.tag });
    if (!valid) return same("refusal", opened.error !== undefined, true);
    same("plaintext", outOf(opened), test.msg);
    const sealed = testkit({ op: "aes_gcm_seal", key, iv, aad, message: test.msg });
    same("ciphertext", outOf(sealed), test.ct + test.tag);
  });
}

export function runHkdf(file, { testkit }) {
  return run(
    file,
    () => true,
    (test, valid) => {
      const { ikm, salt, info, size } = test;
      const answer = testkit({ op: "hkdf", ikm, salt, info, size });
      if (!valid) return same("refusal", answer.error !== undefined, true);
      same("okm", outOf(answer), test.okm);
    },
  );
}

export function runMac(file, { testkit }) {
  const applies = (group) => group.tagSize === 256;
  return run(file, applies, (test, valid) => {
    const tag = outOf(testkit({ op: "hmac", key: test.key, message: test.msg }));
    same("tag", tag === test.tag, valid);
  });
}

function run(file, applies, check) {
  const report = new Report();
  let others = 0;
  for (const group of file.testGroups) {
    if (!applies(group)) others += group.tests.length;
    else for (const test of group.tests) report.case(test.tcId, () => judged(test, check));
  }
  report.leaveOut(others, "sizes that the envelope does not use");
  return report;
}

function judged(test, check) {
  if (!["valid", "invalid"].includes(test.result)) throw new Error(`unknown result ${test.result}`);
  check(test, test.result === "valid");
}
