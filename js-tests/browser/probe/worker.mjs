// In a worker, under the policy that it was served with.
import { tryInit } from "/browser/probe/init.mjs";

postMessage(await tryInit());
