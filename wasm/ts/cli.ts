#!/usr/bin/env node
// The command `reseal`. What it does is in reseal-cli.wasm; cli-host.ts is what needs a runtime.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { initSync, Session } from "../pkg-cli/reseal_cli_wasm.js";
import { CliHost, ReaderGone } from "./cli-host.js";
import { runSession } from "./cli-session.js";
import { Interrupted } from "./cli-terminal.js";
import { systemCode } from "./node-disk.js";

/** A file, a stream, the database or the command itself failed. */
const FAILED = 4;
// As a shell reports a program that ^C, or a reader that went away, has ended.
const INTERRUPTED = 130;
const READER_GONE = 141;

// A command is short: Node 20 would take longer to optimize it than to run it. This is the value of Node 22.
const TIERING_BUDGET = 13_000_000;

/** Runs the command with the arguments of the process, and gives its exit code. */
async function main(): Promise<number> {
  const host = new CliHost();
  // What never runs is not looked at: that took a sixth of the time of a short command.
  setFlagsFromString("--wasm-lazy-validation");
  setFlagsFromString(`--wasm-tiering-budget=${String(TIERING_BUDGET)}`);
  initSync({ module: readFileSync(new URL("./reseal-cli.wasm", import.meta.url)) });
  const code = await runSession(new Session(process.argv.slice(2), host), host);
  if (host.stopped === undefined) return code;
  if (host.stopped instanceof ReaderGone) return READER_GONE;
  if (host.stopped instanceof Interrupted) return interrupted();
  throw host.stopped;
}

/** Ends as a program does that ^C ends, so that a script around it ends as well. */
function interrupted(): number {
  if (process.platform !== "win32") process.kill(process.pid, "SIGINT");
  return INTERRUPTED;
}

/** Node ends when nothing is left to wait for, also where an answer is missing that will never come. */
function brokenOff(): void {
  const message = "the driver of the database gave no answer, and nothing is left to wait for";
  say("database-error", message, () => undefined);
}

/** What nobody foresaw is told by its kind and its places alone: its message may hold a value. */
function broken(error: unknown): void {
  const { name, stack = "" } = error instanceof Error ? error : new Error();
  const places = stack.split("\n").filter((line) => /^ {4}at /.test(line));
  const kind = [systemCode(error) ?? name, ...places.map((place) => place.trim())].join(" ");
  say("unexpected", `the command broke: ${kind}`, () => process.exit(FAILED));
}

function say(code: string, message: string, done: () => void): void {
  const line = JSON.stringify({ error: { code, message, exit: FAILED } });
  const text = process.argv.includes("--json") ? line : `error: ${message} [${code}]`;
  process.stderr.write(`${text}\n`, done);
}

// Until the command has told how it ended, it has failed.
process.exitCode = FAILED;
process.once("beforeExit", brokenOff);
process.on("uncaughtException", broken);
void main().then((code) => {
  process.exitCode = code;
  process.off("beforeExit", brokenOff);
}, broken);
