// The options of keysets.
import type { Key } from "./key.js";
import type { KekProvider } from "./key-services.js";
import type { KeysetLoadOptions } from "./keyset-document.js";
import type { Moment } from "./numbers.js";

/** When something is done: the clock of this machine says so if it is left out. */
export interface At {
  /** A `Date`, or seconds since the beginning of 1970. */
  readonly now?: Moment | undefined;
}

/** Of a new keyset, however it is opened. */
export interface NewKeysetOptions extends At {
  /** How many seconds a process may go on sealing without a look at the keyset; 0 is for ever. */
  readonly leaseSeconds?: number | undefined;
}

/** What a new keyset is wrapped under: a key-encrypting key or a passphrase. */
export interface KeysetOptions extends NewKeysetOptions {
  /** A key-encrypting key, or its key text. */
  readonly kek?: Key | string | undefined;
  /** A passphrase of at least 12 characters; bytes can be wiped by their owner, text cannot. */
  readonly passphrase?: string | Uint8Array | undefined;
}

/** What a new keyset is wrapped under: a fresh key that a key service keeps. */
export interface ProviderKeysetOptions extends NewKeysetOptions {
  /** The key service. */
  readonly provider: KekProvider;
  /** Which key of the service wraps it. */
  readonly reference: string;
}

/** As {@link KeysetLoadOptions}, with key services. */
export interface ProviderLoadOptions extends KeysetLoadOptions {
  /** The key services that are asked. */
  readonly providers: readonly KekProvider[];
}

/** Of a key that comes into a keyset. */
export interface IntroduceOptions extends At {
  /** What people call it: up to 64 characters. */
  readonly label?: string | undefined;
}

/** Of a key that comes into a keyset and seals at once. */
export interface RotateOptions extends IntroduceOptions {
  /** Also where a process may not know the key yet. */
  readonly early?: boolean | undefined;
}

/** Of a promotion: dangerous moves are spelled out. */
export interface PromoteOptions extends At {
  /** Before a lease has passed since the key was introduced. */
  readonly early?: boolean | undefined;
  /** A key that is `decrypt_only`: it was primary before, or disabled and enabled. */
  readonly back?: boolean | undefined;
}

/** Of the end of a key, for the time being. */
export interface DisableOptions extends At {
  /** The primary too: nothing seals then until another key is promoted. */
  readonly emergency?: boolean | undefined;
}

/** A key to take in: a `Key`, or a use for a fresh one. */
export type NewKey = Key | "data" | "index";
