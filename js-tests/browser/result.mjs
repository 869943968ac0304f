// What came of one browser: its counts, and its lines.
export class Result {
  passed = 0;
  failed = 0;
  /** @type {string[]} */
  lines = [];
  #name;

  constructor(name) {
    this.#name = name;
  }

  /** A line, and what belongs below it. */
  say(line, ...below) {
    this.lines.push(`${this.#name} ${line}`, ...below);
  }

  check(what, isGood, why = "") {
    this[isGood ? "passed" : "failed"] += 1;
    this.say(isGood ? what : `FAILED ${what}:`, ...(isGood ? [] : [`  ${why}`]));
  }
}
