// Packs the rows of a statement, as cli/wasm/src/cells.rs reads them.
import { Buffer } from "node:buffer";
import type { Cell } from "./database.js";

const NULL = 0;
const INTEGER = 1;
const TEXT = 2;
const BYTES = 3;
const OTHER = 4;
const ROW_END = 5;
const FIRST_BYTES = 65_536;
/** A kind, and an integer or a length. */
const HEAD_BYTES = 9;
/** A character of JavaScript takes no more in UTF-8; those of longer text are counted. */
const CHARACTER_BYTES = 3;
const SHORT_TEXT = 4096;

/** Packs rows, and keeps the room that it has made for them. */
export class CellPacker {
  #room = Buffer.alloc(FIRST_BYTES);
  #used = 0;

  /** The rows; whoever has read them wipes them, and they are overwritten by the next ones. */
  pack(rows: readonly (readonly Cell[])[]): Uint8Array {
    this.#used = 0;
    for (const row of rows) {
      for (const cell of row) this.#cell(cell);
      this.#kind(ROW_END, 0);
    }
    return this.#room.subarray(0, this.#used);
  }

  #cell(cell: Cell): void {
    if (typeof cell === "string") {
      const isShort = cell.length <= SHORT_TEXT;
      this.#kind(TEXT, isShort ? CHARACTER_BYTES * cell.length : Buffer.byteLength(cell));
      const start = this.#used + 4;
      this.#length(this.#room.write(cell, start));
    } else if (cell === null || cell === undefined) {
      this.#kind(NULL, 0);
    } else if (cell instanceof Uint8Array) {
      this.#kind(BYTES, cell.length);
      this.#room.set(cell, this.#used + 4);
      this.#length(cell.length);
    } else if (typeof cell === "bigint" || Number.isSafeInteger(cell)) {
      this.#integer(BigInt(cell as bigint | number));
    } else {
      this.#kind(OTHER, 0);
    }
  }

  #integer(value: bigint): void {
    // The largest integers of MySQL have more than 64 bits with their sign.
    if (BigInt.asIntN(64, value) !== value) return this.#cell(String(value));
    this.#kind(INTEGER, 0);
    this.#used = this.#room.writeBigInt64LE(value, this.#used);
  }

  /** A kind, with room for what comes after it. */
  #kind(kind: number, bytes: number): void {
    const needed = this.#used + HEAD_BYTES + bytes;
    if (needed > this.#room.length) {
      const before = this.#room;
      this.#room = Buffer.alloc(Math.max(needed, 2 * before.length));
      before.copy(this.#room, 0, 0, this.#used);
      before.fill(0);
    }
    this.#room[this.#used++] = kind;
  }

  /** The length of what stands behind it. */
  #length(bytes: number): void {
    this.#used = this.#room.writeUInt32LE(bytes, this.#used) + bytes;
  }
}
