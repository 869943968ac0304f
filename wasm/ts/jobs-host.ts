// What a call of the library asks for: no stream, no terminal and no signal of the process is touched.
import { FileHost } from "./cli-files.js";
import type { JobEvent, StopSignal } from "./jobs-report.js";

const OUTPUT = 1;

/** What a session says of an error. */
export interface Told {
  readonly code: string;
  readonly message: string;
}

export class CallHost extends FileHost {
  error: Told | undefined;
  #report = "";
  #line = "";
  #wake = () => {};
  #isFailed = false;
  readonly #onAbort = (): void => this.#wake();

  constructor(
    readonly onEvent: ((event: JobEvent) => unknown) | undefined,
    readonly signal: StopSignal | undefined,
  ) {
    super();
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** Lets go of the signal. */
  close(): void {
    this.signal?.removeEventListener("abort", this.#onAbort);
  }

  /** The report, where there is one. */
  report(): unknown {
    return this.#report === "" ? undefined : JSON.parse(this.#report);
  }

  readInput(): Uint8Array {
    return new Uint8Array();
  }

  isTerminal(): boolean {
    return false;
  }

  askSecret(): undefined {
    return undefined;
  }

  ask(): string {
    return "";
  }

  losesOutput(): boolean {
    return false;
  }

  takeWarnings(): string[] {
    return [];
  }

  interrupted(): boolean {
    return this.#isFailed || (this.signal?.aborted ?? false);
  }

  onInterrupt(wake: () => void): void {
    this.#wake = wake;
  }

  write(stream: number, content: Uint8Array): void {
    const text = new TextDecoder().decode(content);
    if (stream === OUTPUT) {
      this.#report += text;
      return;
    }
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    this.attempt(() => lines.forEach((line) => this.#hear(line)));
  }

  protected override unwritten(_path: string, error: unknown): unknown {
    return error;
  }

  #hear(line: string): void {
    const told = JSON.parse(line) as { error?: Told; warning?: string; event?: string };
    if (told.error !== undefined) this.error = told.error;
    else if (told.warning !== undefined) process.emitWarning(told.warning, "ResealWarning");
    else this.#told(this.onEvent?.(told as JobEvent));
  }

  /** What is awaited of it may fail later than it was called. */
  #told(result: unknown): void {
    if (typeof (result as PromiseLike<unknown> | undefined)?.then !== "function") return;
    Promise.resolve(result).catch((error: unknown) => {
      this.stopped ??= error;
      this.#isFailed = true;
      this.#wake();
    });
  }
}
