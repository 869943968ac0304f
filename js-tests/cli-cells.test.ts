// Rows as they go to the command: packed here, read by cli/wasm/src/cells.rs.
import { expect, test } from "vitest";
import { CellPacker } from "../wasm/ts/cli-cells.js";
import { Real, type Cell } from "../wasm/ts/database-base.js";

const END = 5;
const hex = (packed: Uint8Array) => Buffer.from(packed).toString("hex");
const text = (value: string) => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return hex(Buffer.concat([Buffer.of(2), length, bytes]));
};

test("a cell is its kind and what belongs to it", () => {
  const rows: Cell[][] = [
    [null, -2, "aé"],
    [Uint8Array.of(0, 255), new Real(0.5), ""],
  ];
  const wanted = "0001feffffffffffffff020300000061c3a905" + "030200000000ff04020000000005";
  expect(hex(new CellPacker().pack(rows))).toBe(wanted);
  expect(new CellPacker().pack([])).toHaveLength(0);
});

test("an integer has 64 bits with its sign, or comes as text", () => {
  const packed = (cell: Cell) => hex(new CellPacker().pack([[cell]]));
  expect(packed(2n ** 63n - 1n)).toBe("01ffffffffffffff7f05");
  expect(packed(-(2n ** 63n))).toBe("01000000000000008005");
  expect(packed(Number.MAX_SAFE_INTEGER)).toBe("01ffffffffffff1f0005");
  expect(packed(2n ** 63n)).toBe(`${text("9223372036854775808")}05`);
  expect(packed(2n ** 64n - 1n)).toBe(`${text("18446744073709551615")}05`);
  // A driver that gives a float gives no integer.
  expect(packed(0.5)).toBe("0405");
});

test("the room grows, what is left behind is wiped, and the next rows begin anew", () => {
  const packer = new CellPacker();
  const before = packer.pack([["secret"]]);
  const long = "é\u{1f511}x".repeat(20_000);
  const packed = packer.pack([["first", long], [new Uint8Array(100_000).fill(7)]]);
  expect(before.every((byte) => byte === 0)).toBe(true);
  const bytes = `03a0860100${"07".repeat(100_000)}`;
  expect(hex(packed)).toBe(`${text("first")}${text(long)}05${bytes}05`);
  expect(hex(packer.pack([["a"], []]))).toBe(`${text("a")}0505`);
  expect(packer.pack([[]])).toEqual(Buffer.of(END));
});
