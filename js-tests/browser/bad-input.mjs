// What goes wrong around the package, in the page and in the worker: errors with a code that say what to do.
import { Report } from "../vectors/report.mjs";

let loads = 0;
const NUMBER = `${Date.now()}-${Math.random().toString(36).slice(2)}-${typeof document}`;
/** A copy of the package in a folder of its own, so that none of its files has been initialized. */
const fresh = (place = "/fresh") => import(`${place}/${NUMBER}-${(loads += 1)}/browser.mjs`);
/** The package of a server whose `reseal.wasm` is bad in this way. */
const broken = (kind) => fresh(`/broken/${kind}`);

const IN_PAGE = typeof document === "object";
/** In a worker of Firefox `new Worker` now and then does not return, whatever the script is. */
const STARTS_WORKERS = IN_PAGE || !navigator.userAgent.includes("Firefox/");

/** How the module arrives, and what the error says: what happened, and what to do. */
const ARRIVALS = [
  ["missing", "answered 404", "deploy reseal.wasm"],
  ["failing", "answered 503", "deploy reseal.wasm"],
  ["page", "(text/html) is no WebAssembly module", "deploy reseal.wasm"],
  ["empty", "is empty", "deploy reseal.wasm"],
  ["cut", "damaged or was cut", "deploy reseal.wasm"],
  ["damaged", "damaged or was cut", "deploy reseal.wasm"],
  ["older", "of another version", "deploy reseal.wasm"],
  ["other", "is another module", "deploy reseal.wasm"],
  ["broken-off", "broke off", "call init again"],
];

/** Parts by their names. */
export const BAD_INPUT = {
  "calls before init": beforeInit,
  "the module does not arrive": arrivals,
  "the module arrives in a strange way": strangeArrivals,
  "init is given something else": otherSources,
  "init after a failure": afterFailure,
  ...(STARTS_WORKERS && { "a Content-Security-Policy": policies }),
  "no random numbers": noRandom,
  "an engine without SIMD or WebAssembly, as it looks to the package": noEngine,
};

async function beforeInit(report) {
  const reseal = await fresh();
  const { Key, Keyring, Keyset, LiveKeyring, Column, codecs } = reseal;
  for (const [name, call] of Object.entries({
    "Key.generate": () => Key.generate(),
    "Key.parse": () => Key.parse("rsk1.data.x"),
    "new Keyring": () => new Keyring({}),
    "Keyring.fromEnv": () => Keyring.fromEnv({}),
    "Keyset.create": () => Keyset.create({ kek: "x" }),
    "Keyset.load": () => Keyset.load("{}", { kek: "x" }),
    "LiveKeyring.fromEnv": () => LiveKeyring.fromEnv({}),
    "new Column": () => new Column({ write: codecs.plain() }),
    inspect: () => reseal.inspect("x"),
    toBinary: () => reseal.toBinary("x"),
  })) {
    await report.awaited(name, () => fails(reseal, call, "not-initialized", "`await init()` once"));
  }
}

async function arrivals(report) {
  for (const [kind, ...texts] of ARRIVALS) {
    await report.awaited(kind, async () => {
      const reseal = await broken(kind);
      await fails(reseal, () => reseal.init(), "not-initialized", "reseal.wasm", ...texts);
      // The error of a call afterwards is that of a call before.
      await fails(reseal, () => reseal.Key.generate(), "not-initialized", "`await init()` once");
    });
  }
  await report.awaited("another origin without CORS", async () => {
    const reseal = await fresh();
    const url = new URL("/dist/reseal.wasm?token=hidden", location.href);
    url.hostname = "localhost";
    const error = await fails(
      reseal,
      () => reseal.init(url),
      "not-initialized",
      "cannot be fetched",
      "CORS",
    );
    if (error.message.includes("hidden")) throw new Error("the message has the query of the URL");
  });
}

async function strangeArrivals(report) {
  for (const kind of ["text-type", "no-type"]) {
    await report.awaited(kind, async () => {
      const reseal = await broken(kind);
      await reseal.init();
      works(reseal);
    });
  }
}

async function otherSources(report) {
  const wasm = await (await fetch("/dist/reseal.wasm")).arrayBuffer();
  // A promise that nobody waits for yet would be an unhandled one.
  const rejecting = { then: (_, reject) => reject(new Error("hidden")) };
  const read = new Response(wasm);
  await read.arrayBuffer();
  for (const [name, source, code, text] of [
    ["a number", 7, "invalid-argument", "a URL, a Response, bytes"],
    ["bytes of something else", new Uint8Array(8), "not-initialized", "is no WebAssembly module"],
    ["a Response that was read", read, "not-initialized", "had been read"],
    ["no URL", "http://", "not-initialized", "cannot be fetched"],
    [
      "a URL with a password",
      "http://user:hidden@127.0.0.1/",
      "not-initialized",
      "cannot be fetched",
    ],
    ["a promise that fails", rejecting, "not-initialized", "was rejected: give init the URL"],
  ]) {
    await report.awaited(name, async () => {
      const reseal = await fresh();
      const { message } = await fails(reseal, () => reseal.init(source), code, text);
      if (message.includes("hidden")) throw new Error("the message repeats what it was given");
    });
  }
  for (const [name, source] of [
    ["bytes", wasm],
    ["a view", new DataView(wasm)],
    ["a Response", new Response(wasm)],
    ["a Request", new Request("/dist/reseal.wasm")],
    ["a module", await WebAssembly.compile(wasm)],
  ]) {
    await report.awaited(name, async () => {
      const reseal = await fresh();
      await reseal.init(source);
      works(reseal);
    });
  }
}

async function afterFailure(report) {
  await report.awaited("the server is well again", async () => {
    const reseal = await broken("once");
    await fails(reseal, () => reseal.init(), "not-initialized", "answered 503");
    await reseal.init();
    works(reseal);
  });
  for (const [kind] of ARRIVALS) {
    await report.awaited(`${kind}, then its URL`, async () => {
      const reseal = await broken(kind);
      await fails(reseal, () => reseal.init(), "not-initialized", "reseal.wasm");
      await Promise.all([reseal.init("/dist/reseal.wasm"), reseal.init("/dist/reseal.wasm")]);
      works(reseal);
    });
  }
}

async function policies(report) {
  const probes = { worker: inWorker, ...(IN_PAGE && { frame: inFrame }) };
  for (const [place, probe] of Object.entries(probes)) {
    for (const [policy, text] of [
      ["no-wasm", "'wasm-unsafe-eval' to its script-src"],
      ["no-fetch", "connect-src"],
    ]) {
      await report.awaited(`${policy} in a ${place}`, async () => {
        const { code, message } = await probe(`/csp/${policy}/${place}`);
        if (code !== "not-initialized" || !message.includes(text)) throw new Error(message);
      });
    }
    await report.awaited(`one that allows it in a ${place}`, async () => {
      const { use, message } = await probe(`/csp/with-wasm/${place}`);
      if (use !== "data") throw new Error(message);
    });
  }
}

async function noRandom(report) {
  const throws = () => {
    throw new DOMException("too much", "QuotaExceededError");
  };
  const undo = (object, name) => {
    const own = Object.getOwnPropertyDescriptor(object, name);
    return () => (own ? Object.defineProperty(object, name, own) : delete object[name]);
  };
  for (const [name, object, member, value] of [
    ["getRandomValues is missing", crypto, "getRandomValues", undefined],
    ["getRandomValues throws", crypto, "getRandomValues", throws],
    ["crypto is missing", globalThis, "crypto", undefined],
  ]) {
    await report.awaited(name, async () => {
      const reseal = await fresh();
      await reseal.init();
      const { Key, Keyring } = reseal;
      // Its pool of random bytes is empty.
      const ring = new Keyring({ primary: Key.fromBytes("data", new Uint8Array(32)) });
      const restore = undo(object, member);
      Object.defineProperty(object, member, { value, configurable: true });
      try {
        for (const call of [
          () => Key.generate(),
          () => ring.seal("x", {}),
          () => ring.sealBinary("x", {}),
          () => ring.sealMany(["x"], {}),
          () => ring.field({}).seal("x"),
        ]) {
          await fails(
            reseal,
            call,
            "random-unavailable",
            "getRandomValues",
            "nothing weaker",
            "use",
          );
        }
        const stored = ring.seal("x", {}, "deterministic");
        if (ring.openString(stored, {}) !== "x") throw new Error("what needs none does not work");
      } finally {
        restore();
      }
      works(reseal);
    });
  }
}

/** The one stand-in: engines that really lack it are started by run.mjs. */
async function noEngine(report) {
  const { validate } = WebAssembly;
  for (const [name, object, member, value, text] of [
    ["SIMD", WebAssembly, "validate", () => false, "no WebAssembly SIMD: use"],
    ["WebAssembly", globalThis, "WebAssembly", undefined, "no WebAssembly: use"],
  ]) {
    await report.awaited(`no ${name}`, async () => {
      const reseal = await fresh();
      const real = Object.getOwnPropertyDescriptor(object, member);
      Object.defineProperty(object, member, { value, configurable: true });
      try {
        await fails(reseal, () => reseal.init(), "engine-unsupported", text);
      } finally {
        Object.defineProperty(object, member, real);
      }
      await reseal.init();
      works(reseal);
    });
  }
  if (WebAssembly.validate !== validate) throw new Error("WebAssembly was not restored");
}

/** Fails unless the call fails with this code, and with a message that holds the texts. */
async function fails({ ResealError }, call, code, ...texts) {
  let error;
  try {
    await call();
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) throw new Error(`passed, expected ${code}`);
  if (!(error instanceof ResealError)) throw error;
  if (error.code !== code) throw new Error(`${error.code}, expected ${code}: ${error.message}`);
  const lacking = texts.find((text) => !error.message.includes(text));
  if (lacking !== undefined) throw new Error(`"${error.message}" does not say "${lacking}"`);
  return error;
}

function works({ Key, Keyring }) {
  const ring = new Keyring({ primary: Key.generate() });
  if (ring.openString(ring.seal("x", {}), {}) !== "x") throw new Error("it does not work");
}

function inWorker(path) {
  const worker = new Worker(`${path}.mjs`, { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(`the worker failed: ${message}`));
  }).finally(() => worker.terminate());
}

function inFrame(path) {
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.src = `${path}.html`;
  return new Promise((resolve) => {
    const receive = (event) => {
      if (event.source !== frame.contentWindow) return;
      removeEventListener("message", receive);
      frame.remove();
      resolve(event.data);
    };
    addEventListener("message", receive);
    document.body.append(frame);
  });
}

/** The parts one after the other: some take something away from the realm. */
export async function* runBadInput(part) {
  for (const [name, run] of Object.entries(BAD_INPUT)) {
    yield part("bad input", name, async () => {
      const report = new Report();
      await run(report);
      return report;
    });
  }
}
