// The keyring that follows a source.
import type { KeyringOptions } from "./builder.js";
import { platform, ready, type PathLike } from "./engine.js";
import { invalidArgument } from "./errors.js";
import { Keyring } from "./keyring.js";
import { followed, FollowedRing, type KeysetSource } from "./live-followed.js";
import { LIVE_NAMES, LiveRing, type LiveOptions, type LiveStatus } from "./live-ring.js";
import {
  DIRECTORY_NAMES,
  KEYSET_NAMES,
  Source,
  type DirectoryOptions,
  type Environment,
  type KeysetSourceOptions,
} from "./source.js";
import { checkOptions } from "./words.js";

/** As `DirectoryOptions`, and how the ring keeps time. */
export interface LiveDirectoryOptions extends DirectoryOptions, LiveOptions {}

/** As `KeysetSourceOptions`, and how the ring keeps time. */
export interface LiveKeysetOptions extends KeysetSourceOptions, LiveOptions {}

// A class that refers to itself by name gets another name in the bundle.
/** The keyring over what follows a source. */
let following: (live: LiveRing | FollowedRing) => LiveKeyring;

/**
 * A keyring that follows its source: new keys arrive in the running process.
 *
 * It is a `Keyring`, and so are its fields. Of variables and files there is no timer: the source is
 * read at the first use, and looked at again by a call after `checkSeconds`, or at once where a stored
 * value names an unknown key. {@link LiveKeyring.follow} follows what must be awaited, such as a database. A source that is gone is looked for every `reloadSeconds`, and meanwhile the old
 * keys go on opening. They go on sealing for the lease of the keyset, and then refuse with
 * `ring-stale`.
 *
 * Every process, and every worker thread, has one of its own. A look reads files synchronously.
 *
 * @example
 * const ring = LiveKeyring.fromEnv({ RESEAL_PRIMARY_KEY: Key.generate().export() });
 * const stored = ring.seal("078-05-1120", { row: 42 });
 * if (!(ring instanceof Keyring) || ring.status().stale) throw new Error("never");
 */
export class LiveKeyring extends Keyring {
  readonly #live: LiveRing | FollowedRing;

  static {
    following = (live) => new this(live);
  }

  private constructor(live: LiveRing | FollowedRing) {
    if (!(live instanceof LiveRing || live instanceof FollowedRing)) {
      throw invalidArgument("a live keyring is made by LiveKeyring.fromKeyset() and the like");
    }
    super(live as KeyringOptions);
    this.#live = live;
  }

  /**
   * A ring that follows what environment variables describe, as of `Keyring.fromEnv`. The variables
   * are read once; what files they name is looked at again and again.
   *
   * @throws as `Keyring.fromEnv`: what is wrong with variables here, with files at the first use;
   * `invalid-argument`
   * @example
   * const ring = LiveKeyring.fromEnv(
   *   { RESEAL_PRIMARY_KEY: Key.generate().export() },
   *   { checkSeconds: 60 },
   * );
   */
  static override fromEnv(
    env: Environment = platform().environment(),
    options: LiveOptions = {},
  ): LiveKeyring {
    const { time } = split(options, []);
    return following(new LiveRing(Source.fromEnv(env), time));
  }

  /**
   * A ring that follows a directory of key files, as of `Keyring.fromDirectory`.
   *
   * @throws `invalid-argument`; as `Keyring.fromDirectory` at the first use
   */
  static override fromDirectory(path: PathLike, options: LiveDirectoryOptions): LiveKeyring {
    const { time, rest } = split(options, DIRECTORY_NAMES);
    return following(new LiveRing(Source.fromDirectory(path, rest), time));
  }

  /**
   * A ring that follows a keyset file, as of `Keyring.fromKeyset`.
   *
   * @throws `invalid-argument`, `invalid-key`; as `Keyring.fromKeyset` at the first use
   * @example
   * const kek = Key.generate("kek");
   * const [keyset, file] = [Keyset.create({ kek }), new KeysetFile("ring.json", { kek })];
   * keyset.rotate("data");
   * file.create(keyset);
   * const ring = LiveKeyring.fromKeyset("ring.json", { kek, checkSeconds: 0 });
   * const stored = ring.seal("x", { row: 42 });
   * const id = file.edit((keyset) => keyset.rotate("data"));
   * if (ring.primaryId !== id) throw new Error("never");
   * if (ring.openString(stored, { row: 42 }) !== "x") throw new Error("never");
   */
  static override fromKeyset(path: PathLike, options: LiveKeysetOptions): LiveKeyring {
    const { time, rest } = split(options, KEYSET_NAMES);
    return following(new LiveRing(Source.fromKeyset(path, rest), time));
  }

  /**
   * A ring that follows a keyset which must be awaited: a `SqlKeysetStore` of `reseal/sql`, or any other
   * object that reads and opens one. It has looked once when it is there.
   *
   * A timer begins the looks, which keeps no process alive, and `dispose` ends it. Whoever seals or opens
   * during a look does it with the ring that is there. A call cannot wait: where a value names an unknown
   * key, `open` begins a look and fails with `unknown-key`; after `await ring.refreshed()` it is opened
   * again. A process that slept longer than the lease refuses to seal until its next look is done.
   *
   * @throws `invalid-argument`, and whatever is wrong with the source, as a rejection
   * @example
   * const kek = Key.generate("kek");
   * const keyset = Keyset.create({ kek });
   * keyset.rotate("data");
   * let document = keyset.save();
   * keyset.saved(document);
   * const source = {
   *   read: async () => document,
   *   open: (text) => Keyset.load(text, { kek }),
   * };
   * const ring = await LiveKeyring.follow(source, { checkSeconds: 60 });
   * const id = keyset.rotate("data");
   * document = keyset.save();
   * await ring.refreshed();
   * if (ring.primaryId !== id) throw new Error("never");
   * ring.dispose();
   */
  static async follow(source: KeysetSource, options: LiveOptions = {}): Promise<LiveKeyring> {
    const { time } = split(options, []);
    if (typeof source?.read !== "function" || typeof source.open !== "function") {
      throw invalidArgument(
        "what is followed has the methods read and open, as a SqlKeysetStore has",
      );
    }
    source.checkFollowed?.();
    ready();
    return following(await followed(source, time));
  }

  /**
   * Refused: {@link LiveKeyring.follow} follows what must be awaited.
   *
   * @throws `invalid-argument`
   */
  static override load(): Promise<never> {
    const why =
      "a live keyring reads its source at once: use fromKeyset, follow, or await Keyring.load";
    return Promise.reject(invalidArgument(why));
  }

  /**
   * Looks at the source now, whenever it was looked at last.
   *
   * @throws whatever is wrong with the source; the keys that there were stay in use; `invalid-argument`
   * where the source must be awaited: {@link LiveKeyring.refreshed} does
   */
  refresh(): void {
    this.#live.refresh();
  }

  /**
   * As {@link LiveKeyring.refresh}, for every source: done once a look is over that began after this
   * call. Looks never overlap.
   *
   * @throws whatever is wrong with the source, as a rejection
   * @example
   * const ring = LiveKeyring.fromEnv({ RESEAL_PRIMARY_KEY: Key.generate().export() });
   * await ring.refreshed();
   * if (ring.keys().length !== 1) throw new Error("never");
   */
  refreshed(): Promise<void> {
    return this.#live.refreshed();
  }

  /**
   * How the source was found when it was looked at last. This looks at nothing.
   *
   * @example
   * const ring = LiveKeyring.fromEnv({ RESEAL_PRIMARY_KEY: Key.generate().export() });
   * ring.refresh();
   * const { kind, stale, lastError } = ring.status();
   * if (kind !== "keys" || stale || lastError !== undefined) throw new Error("never");
   */
  status(): LiveStatus {
    return this.#live.status();
  }
}

/** The options that say how the ring keeps time, and those of its source. Each is read once. */
function split<T extends LiveOptions>(
  options: T,
  names: readonly string[],
): { time: LiveOptions; rest: Omit<T, keyof LiveOptions> } {
  checkOptions(options, [...names, ...LIVE_NAMES]);
  const { checkSeconds, reloadSeconds, clock, ...rest } = options;
  return { time: { checkSeconds, reloadSeconds, clock }, rest };
}
