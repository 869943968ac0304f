// Runs a session: does on a database what it asks for, a turn at a time.
import type { Session } from "../pkg-cli/reseal_cli_wasm.js";
import { CellPacker } from "./cli-cells.js";
import { connect, DatabaseError, of, type Database, type Param } from "./database.js";
import { ResealError } from "./errors.js";

/** What a session asks for, as cli/wasm/src/turns.rs writes it. */
type Turn =
  | [what: "connect", url: string | undefined]
  | [what: "query" | "execute", sql: string, params: Param[]]
  | [what: "begin" | "commit" | "rollback" | "reconnect" | "breathe"]
  | [what: "sleep", milliseconds: number]
  | [what: "ended", code: number];

/** What it gets. */
type Answer =
  | [what: "start" | "done" | "lost"]
  | [what: "connected" | "failed", text: string]
  | [what: "unconnected", codeAndMessage: [code: string, message: string]]
  | [what: "rows", packed: Uint8Array]
  | [what: "count", count: number];

/** Who can ask a session to stop. */
export interface Stopper {
  interrupted(): boolean;
  /** Calls `wake` when that comes, instead of what was to be called before. */
  onInterrupt(wake: () => void): void;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** After ^C nothing waits longer. */
const INTERRUPTED_MS = 20;

/** Runs a session to its end: its exit code. `given` is the connection that it works on, if any. */
export async function runSession(
  session: Session,
  host: Stopper,
  given?: unknown,
): Promise<number> {
  const line = new Line(host, given);
  try {
    let [what, value]: [string, unknown?] = ["start"];
    for (;;) {
      const turn = session.next(what, value) as Turn;
      if (value instanceof Uint8Array) value.fill(0);
      if (turn[0] === "ended") return turn[1];
      [what, value] = await beside(line.answer(turn), session);
    }
  } finally {
    await line.close();
    free(session);
  }
}

/** One that broke cannot be freed; what broke it is thrown, and not that. */
function free(session: Session): void {
  try {
    session.free();
  } catch {
    // It ends with the process, or with its memory.
  }
}

/** Waits for a turn, and works ahead meanwhile. */
async function beside<T>(turn: Promise<T>, session: Session): Promise<T> {
  if (session.canWorkAhead()) {
    // Only then is the statement on its way.
    const sent = new Promise((resume) => setImmediate(resume));
    await Promise.race([turn, sent]);
    session.workAhead();
  }
  return turn;
}

/** The line to the database. */
class Line {
  #database: Database | undefined;
  readonly #packer = new CellPacker();

  constructor(
    readonly host: Stopper,
    readonly given: unknown,
  ) {}

  async answer(turn: Exclude<Turn, [what: "ended", code: number]>): Promise<Answer> {
    switch (turn[0]) {
      case "connect":
        return this.#connect(turn[1]);
      case "sleep":
        return this.#sleep(turn[1]);
      case "breathe":
        return this.#breathe();
      default:
        return this.#statement(turn);
    }
  }

  /** Closes, or gives back; what was done is done, also where that fails. */
  async close(): Promise<void> {
    const database = this.#database;
    if (database === undefined) return;
    await database.rollback().catch(() => undefined);
    await database.close().catch(() => undefined);
  }

  async #connect(url: string | undefined): Promise<Answer> {
    try {
      const database = url === undefined ? await of(this.given, true) : await connect(url);
      this.#database = database;
      return ["connected", database.dialect];
    } catch (error) {
      if (error instanceof ResealError) return ["unconnected", [error.code, error.message]];
      const failure = this.#database?.failure(error) ?? error;
      if (this.#database === undefined && !(error instanceof DatabaseError)) throw error;
      return ["unconnected", ["database-error", (failure as { message: string }).message]];
    }
  }

  async #statement(
    turn: Exclude<Turn, { 0: "connect" | "sleep" | "breathe" | "ended" }>,
  ): Promise<Answer> {
    const database = this.#database;
    if (database === undefined) return ["lost"];
    try {
      switch (turn[0]) {
        case "query":
          return ["rows", this.#packer.pack(await database.query(turn[1], turn[2]))];
        case "execute":
          return ["count", await database.execute(turn[1], turn[2])];
        case "begin":
          await database.begin();
          break;
        case "commit":
          await database.commit();
          break;
        case "rollback":
          await database.rollback();
          break;
        case "reconnect":
          // Of a lost connection the database lets go, and the next statement makes another one.
          await database.rollback().catch(() => database.rollback());
          await database.query("SELECT 1");
      }
      return ["done"];
    } catch (error) {
      if (error instanceof DatabaseError) return ["lost"];
      // Of the connection, such as one that is in a transaction.
      if (error instanceof ResealError) return ["unconnected", [error.code, error.message]];
      return ["failed", database.failure(error).code];
    }
  }

  async #sleep(milliseconds: number): Promise<Answer> {
    const longest = this.host.interrupted() ? INTERRUPTED_MS : LONGEST_TIMER_MS;
    await new Promise<void>((wake) => {
      const timer = setTimeout(wake, Math.min(milliseconds, longest));
      this.host.onInterrupt(() => {
        clearTimeout(timer);
        wake();
      });
    });
    this.host.onInterrupt(() => {});
    return ["done"];
  }

  /** Lets all else run, since a synchronous driver does not: ^C comes in after every batch. */
  async #breathe(): Promise<Answer> {
    // Signals are read between two of them: the first may come in the round that runs already.
    await new Promise((resume) => setImmediate(resume));
    await new Promise((resume) => setImmediate(resume));
    return ["done"];
  }
}
