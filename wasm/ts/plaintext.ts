// Columns that write plaintext: a warning, or an error where encryption is required.
import { ResealError } from "./errors.js";

/** Set where data is real: nothing writes plaintext there. */
export const REQUIRE_ENCRYPTION = "RESEAL_REQUIRE_ENCRYPTION";

/**
 * A column was made that writes plaintext. Where data is real, set `RESEAL_REQUIRE_ENCRYPTION=1`:
 * such a column is refused then.
 */
export class PlaintextWarning extends Error {
  static {
    Object.defineProperty(this.prototype, "name", { value: "PlaintextWarning" });
  }
}

/** What was said already: a factory of columns says it once. */
const said = new Set<string>();
const MAX_SAID = 1000;
let isQuiet = false;

/** Whether what the variable says refuses plaintext. Only what plainly says no counts as no. */
export function isRequired(said: string | undefined): boolean {
  return said !== undefined && said.trim() !== "" && said.trim() !== "0";
}

/** Whether the environment of the process refuses plaintext. */
export function isRequiredHere(): boolean {
  return isRequired(globalThis.process?.env?.[REQUIRE_ENCRYPTION]);
}

/** For a column that nothing describes but its maker. */
export function refuseOrWarn(codec: string): void {
  if (isQuiet) return;
  if (isRequiredHere()) {
    const why = `encryption is required here (${REQUIRE_ENCRYPTION})`;
    const what = `${why}, and the codec ${codec} writes plaintext: write another one`;
    throw new ResealError("encryption-required", what);
  }
  warnOfPlaintext("a column", codec);
}

/** Warns once: through the process where there is one, otherwise on the console. Never with a value. */
export function warnOfPlaintext(column: string, codec: string): void {
  if (isQuiet) return;
  const risk = "whoever sees the database reads its values";
  const message = `${column} writes plaintext (codec ${codec}): ${risk}`;
  if (said.has(message)) return;
  if (said.size < MAX_SAID) said.add(message);
  const warning = new PlaintextWarning(message);
  if (typeof process === "object" && typeof process.emitWarning === "function") {
    process.emitWarning(warning);
  } else {
    console.warn(String(warning));
  }
}

/** What `work` gives, without warnings: it makes columns that were warned of, or that never write. */
export function withoutWarning<T>(work: () => T): T {
  const before = isQuiet;
  isQuiet = true;
  try {
    return work();
  } finally {
    isQuiet = before;
  }
}
