// In a frame, under the policy that it was served with.
import { tryInit } from "/browser/probe/init.mjs";

parent.postMessage(await tryInit(), location.origin);
