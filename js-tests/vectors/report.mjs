// Counting, comparing, and the few conversions that all shapes need. Runs in Node and in browsers.

/** What came of one file. */
export class Report {
  passed = 0;
  /** Cases that did not give what the file expects, each with what happened. @type {string[]} */
  failed = [];
  /** Cases that do not apply or wait for a later release. @type {{cases: number, reason: string}[]} */
  leftOut = [];

  get run() {
    return this.passed + this.failed.length;
  }

  /** Runs one case: it passes unless it throws. */
  case(id, check) {
    try {
      check();
      this.passed += 1;
    } catch (error) {
      this.#fail(id, error);
    }
  }

  /** As `case`, for a check that is awaited. */
  async awaited(id, check) {
    try {
      await check();
      this.passed += 1;
    } catch (error) {
      this.#fail(id, error);
    }
  }

  leaveOut(cases, reason) {
    if (cases > 0) this.leftOut.push({ cases, reason });
  }

  #fail(id, error) {
    this.failed.push(`${id}: ${error.code ?? ""} ${error.message}`);
  }

  /** The lines that a runner prints. */
  lines(language, file) {
    const counts = `run=${this.run} passed=${this.passed} failed=${this.failed.length}`;
    const others = this.leftOut.map(({ cases, reason }) => ` left_out=${cases} (${reason})`);
    const failures = this.failed.map((failure) => `  ${failure}`);
    return [`${language} ${file} ${counts}${others.join("")}`, ...failures];
  }
}

export function same(what, got, expected) {
  if (got !== expected) throw new Error(`${what} is not as in the file`);
}

/** Fails unless `check` is refused with an error kind such as `AuthFailed`. */
export function refused(ResealError, check, kind) {
  try {
    check();
  } catch (error) {
    if (!(error instanceof ResealError)) throw error;
    if (error.code === codeOf(kind)) return;
    throw new Error(`${error.code}, expected ${kind}`);
  }
  throw new Error(`passed, expected ${kind}`);
}

/** Fails on members that no runner knows, so that no case is forgotten silently. */
export function known(object, names, what) {
  for (const name of Object.keys(object)) {
    if (!names.includes(name)) throw new Error(`${what} has an unknown member ${name}`);
  }
}

/** `AuthFailed` is `auth-failed`. */
export function codeOf(kind) {
  return kind.replaceAll(/(?<!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}

export function fromHex(hex) {
  if (!/^([0-9a-f]{2})*$/.test(hex)) throw new Error("expected lower-case hexadecimal");
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function modeOf(letter) {
  const mode = { r: "random", d: "deterministic", p: "padded" }[letter];
  if (mode === undefined) throw new Error(`unknown mode ${letter}`);
  return mode;
}

/** The pairs of a vector as an object; the file has each name once. */
export function contextOf(pairs) {
  return Object.fromEntries(pairs.map(([name, value]) => [name, fromHex(value)]));
}

const OPTION_OF = {
  introduced: "introduced",
  decrypt_only: "decryptOnly",
  disabled: "disabled",
  destroyed: "destroyed",
};

/** Ring options from keys with their states; a KEK is in no ring. */
export function ringOptions(keys) {
  const options = { introduced: [], decryptOnly: [], disabled: [], destroyed: [] };
  for (const { key, state } of keys) {
    if (key.use === "kek") continue;
    if (state === "primary") options[key.use === "index" ? "index" : "primary"] = key;
    else if (state === "destroyed") options.destroyed.push(key.id);
    else if (state in OPTION_OF) options[OPTION_OF[state]].push(key);
    else throw new Error(`unknown key state ${state}`);
  }
  return options;
}
