// The codecs that need no format of another system.
import { Codec, makeCodec, recognize } from "./codec.js";
import type { CodecOptions } from "./codec-options.js";
import { Keyring, ringsOf } from "./keyring.js";
import { checkOptions, foreign } from "./words.js";

export { Codec, recognize };

/**
 * Plaintext: what stands in a column before Reseal, and after it. It never writes what starts like
 * an envelope.
 *
 * @throws `invalid-argument`
 * @example
 * const column = new Column({ write: codecs.plain() });
 */
export function plain(options: CodecOptions = {}): Codec {
  checkOptions(options, ["name"]);
  return makeCodec("plain", options.name ?? "plain", []);
}

/**
 * Envelopes of this project under the keys of a ring; a live ring is followed.
 *
 * @throws `invalid-argument`
 * @example
 * const codec = codecs.reseal(new Keyring({ primary: Key.generate() }), { name: "app" });
 */
export function reseal(ring: Keyring, options: CodecOptions = {}): Codec {
  checkOptions(options, ["name"]);
  if (!(ring instanceof Keyring)) throw foreign(ring, "Keyring", "this codec takes a Keyring");
  return makeCodec("reseal", options.name ?? "reseal", [], ringsOf(ring));
}
