// Workers and edge functions: nothing to load, and no library of browsers.
import { init, Key, Keyring, LiveKeyring } from "reseal";
import * as slim from "reseal/slim";

await init();
await slim.init();
new Keyring({ primary: Key.generate() }).seal("x", {});

// As `wrangler types` writes it: variables beside bindings, and no index.
interface Env {
  readonly RESEAL_PRIMARY_KEY: string;
  readonly BUCKET: { get(name: string): Promise<unknown> };
}
export default {
  fetch: (request: unknown, env: Env) => [Keyring.fromEnv(env), LiveKeyring.fromEnv(env)],
};
