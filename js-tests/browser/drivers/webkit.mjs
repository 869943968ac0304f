// WebKitGTK in a virtual display, by its driver, which speaks WebDriver over HTTP.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** How to start one whose engine lacks something. */
export const LACKING = {
  "WebAssembly SIMD": { environment: { JSC_useWasmSIMD: "0" } },
  WebAssembly: { environment: { JSC_useWasm: "0" } },
};
const START_MS = 20_000;
const STEP_MS = 100;

export async function open(path, url, { environment = {} } = {}) {
  const display = spawn(
    "Xvfb",
    ["-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
    {
      stdio: ["ignore", "ignore", "ignore", "pipe"],
    },
  );
  let driver;
  const kill = () => {
    driver?.kill("SIGKILL");
    display.kill("SIGKILL");
  };
  try {
    const number = await new Promise((resolve, reject) => {
      display.once("error", reject);
      display.stdio[3].once("data", (data) => resolve(String(data).trim()));
    });
    const port = await freePort();
    const env = { ...process.env, ...environment, DISPLAY: `:${number}` };
    driver = spawn(path, ["--host=127.0.0.1", `--port=${port}`], { env, stdio: "ignore" });
    driver.once("error", () => {});
    const call = caller(`http://127.0.0.1:${port}`);
    await started(call);
    const { sessionId } = await call("POST", "/session", { capabilities: {} });
    const session = `/session/${sessionId}`;
    await call("POST", `${session}/url`, { url });
    return {
      // Its driver does not tell what the console shows.
      messages: [],
      kill,
      evaluate: (expression) => {
        return call("POST", `${session}/execute/sync`, {
          script: `return ${expression}`,
          args: [],
        });
      },
      screenshot: async (path) => {
        writeFileSync(path, Buffer.from(await call("GET", `${session}/screenshot`), "base64"));
      },
      close: async () => {
        await call("DELETE", session).catch(() => {});
        kill();
      },
    };
  } catch (error) {
    kill();
    throw error;
  }
}

function caller(base) {
  return async (method, path, body) => {
    const response = await fetch(base + path, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
    return value;
  };
}

async function started(call) {
  for (let spent = 0; spent < START_MS; spent += STEP_MS) {
    if (
      await call("GET", "/status").then(
        () => true,
        () => false,
      )
    )
      return;
    await sleep(STEP_MS);
  }
  throw new Error("its driver does not answer");
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
