// Fetches and compiles the module in a browser, and says what to do where that fails.
import { invalidArgument, ResealError } from "./errors.js";

/** What `init` accepts: where the module is, a response, its bytes, or the module itself. */
export type WasmSource = string | URL | Request | Response | BufferSource | WebAssembly.Module;

const DEPLOY =
  "deploy reseal.wasm of the package beside the script, of the same version, or give init its URL";
/** What every module begins with; alone it is a module without anything. */
const EMPTY_MODULE = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
const MAGIC_BYTES = 4;

/** What init was given, once it is there. */
export async function awaited(source: WasmSource | PromiseLike<WasmSource>): Promise<WasmSource> {
  try {
    return await source;
  } catch (error) {
    if (error instanceof ResealError) throw error;
    // The text of the error may repeat a whole URL.
    throw notLoaded("the promise that init was given was rejected: give init the URL, or await it before"); // prettier-ignore
  }
}

export async function moduleOf(source: WasmSource): Promise<WebAssembly.Module> {
  const module = await compiled(source);
  // The glue would keep a wrong module for ever.
  if (WebAssembly.Module.exports(module).some(({ name }) => name === "wipe_stack")) return module;
  throw notLoaded(`what init was given is another module: ${DEPLOY}`);
}

/** Why a module that is whole does not start. */
export function instanceError(error: unknown): unknown {
  if (!mayRun()) return forbidden();
  // The second, where not even the module that it imports from has that name.
  if (!(error instanceof WebAssembly.LinkError || error instanceof TypeError)) return error;
  return notLoaded(`it is of another version than this script: ${DEPLOY}`);
}

async function compiled(source: WasmSource): Promise<WebAssembly.Module> {
  if (source instanceof WebAssembly.Module) return source;
  if (source instanceof ArrayBuffer) return compile(new Uint8Array(source), "what init was given");
  if (ArrayBuffer.isView(source)) {
    // Not every engine compiles a DataView.
    const { buffer, byteOffset, byteLength } = source;
    return compile(new Uint8Array(buffer, byteOffset, byteLength), "what init was given");
  }
  if (isA("Response", source)) return compileBody(source, shown(source.url));
  if (typeof source === "string" || source instanceof URL || isA("Request", source)) {
    const place = shown(isA("Request", source) ? source.url : source);
    return compileBody(await answerOf(source, place), place);
  }
  throw invalidArgument("init takes a URL, a Response, bytes or a WebAssembly.Module");
}

/** Whether this is what `fetch` takes or gives, where there is a `fetch`. */
function isA<N extends "Request" | "Response">(
  name: N,
  source: unknown,
): source is InstanceType<(typeof globalThis)[N]> {
  const kind: unknown = globalThis[name];
  return typeof kind === "function" && source instanceof kind;
}

async function answerOf(source: string | URL | Request, place: string): Promise<Response> {
  if (typeof fetch !== "function") {
    throw notLoaded("there is no fetch here: give init the bytes of reseal.wasm");
  }
  try {
    return await fetch(source);
  } catch {
    // Why is told to the console only; the text of the error may repeat the whole URL.
    throw notLoaded(
      `${place} cannot be fetched: ${DEPLOY}; an origin of its own needs CORS, and connect-src of the Content-Security-Policy must allow it`,
    );
  }
}

async function compileBody(response: Response, place: string): Promise<WebAssembly.Module> {
  if (!response.ok) throw notLoaded(`${place} answered ${response.status}: ${DEPLOY}`);
  let body: ArrayBuffer;
  try {
    body = await response.arrayBuffer();
  } catch {
    throw notLoaded(`the answer of ${place} broke off or had been read: call init again`);
  }
  const type = /^[\w.+-]+\/[\w.+-]+/.exec(response.headers.get("content-type") ?? "")?.[0];
  return compile(new Uint8Array(body), `the answer of ${place} (${type ?? "of no type"})`);
}

async function compile(
  bytes: Uint8Array<ArrayBufferLike>,
  what: string,
): Promise<WebAssembly.Module> {
  if (bytes.length === 0) throw notLoaded(`${what} is empty: ${DEPLOY}`);
  if (EMPTY_MODULE.subarray(0, MAGIC_BYTES).some((byte, at) => byte !== bytes[at])) {
    throw notLoaded(`${what} is no WebAssembly module: ${DEPLOY}`);
  }
  try {
    return await WebAssembly.compile(bytes as BufferSource);
  } catch (error) {
    if (!mayRun()) throw forbidden();
    const reason = error instanceof Error ? error.message : "unknown reason";
    throw notLoaded(`${what} is damaged or was cut (${reason}): ${DEPLOY}`);
  }
}

/** Whether any module runs here: a policy refuses each, when it is compiled or when it is started. */
function mayRun(): boolean {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(EMPTY_MODULE)).exports !== undefined;
  } catch {
    return false;
  }
}

function forbidden(): ResealError {
  return notLoaded(
    "the Content-Security-Policy forbids WebAssembly: add 'wasm-unsafe-eval' to its script-src",
  );
}

/** A URL without its parts that may be secret, or long. */
function shown(source: string | URL): string {
  try {
    const url = new URL(source, globalThis.location?.href);
    if (url.protocol === "http:" || url.protocol === "https:") return url.origin + url.pathname;
    return `a ${url.protocol} URL`;
  } catch {
    return "the URL that init was given";
  }
}

function notLoaded(why: string): ResealError {
  return new ResealError("not-initialized", `reseal.wasm could not be loaded: ${why}`);
}
