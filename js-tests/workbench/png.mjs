// Makes a PNG smaller: at most 256 colours, of which a picture of text and lines has few more.
import { deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex");

/** A PNG of 8-bit RGB or RGBA, as browsers make it, with a palette. */
export function smaller(png) {
  const chunks = [...chunksOf(png)];
  const head = chunks.find(({ name }) => name === "IHDR").data;
  const [width, height, depth, type] = [head.readUInt32BE(0), head.readUInt32BE(4), head[8], head[9]]; // prettier-ignore
  if (depth !== 8 || (type !== 2 && type !== 6)) throw new Error("this PNG has another form");
  const packed = Buffer.concat(
    chunks.filter(({ name }) => name === "IDAT").map(({ data }) => data),
  );
  const size = type === 2 ? 3 : 4;
  const colours = coloursOf(unfiltered(inflateSync(packed), width * size, height, size), size);
  const palette = mostCommon(colours, 256);
  const places = nearest(colours, palette);
  const rows = Buffer.alloc((width + 1) * height);
  colours.forEach((colour, at) => {
    rows[Math.floor(at / width) * (width + 1) + 1 + (at % width)] = places.get(colour);
  });
  const header = Buffer.from(head);
  header[9] = 3;
  const table = Buffer.from(palette.flatMap((colour) => channels(colour)));
  const parts = [["IHDR", header], ["PLTE", table], ["IDAT", deflateSync(rows, { level: 9 })], ["IEND", Buffer.alloc(0)]]; // prettier-ignore
  return Buffer.concat([SIGNATURE, ...parts.map(([name, data]) => chunk(name, data))]);
}

function* chunksOf(png) {
  for (let at = SIGNATURE.length; at < png.length;) {
    const length = png.readUInt32BE(at);
    yield {
      name: png.toString("latin1", at + 4, at + 8),
      data: png.subarray(at + 8, at + 8 + length),
    };
    at += 12 + length;
  }
}

/** Undoes the filters of the lines. */
function unfiltered(data, stride, height, size) {
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = data[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= size ? out[at - size] : 0;
      const up = y > 0 ? out[at - stride] : 0;
      const corner = x >= size && y > 0 ? out[at - stride - size] : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter];
      out[at] = data[y * (stride + 1) + 1 + x] + guess;
    }
  }
  return out;
}

function paeth(left, up, corner) {
  const [a, b, c] = [up - corner, left - corner, left + up - 2 * corner].map(Math.abs);
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function coloursOf(pixels, size) {
  const read = (_, at) => pixels.readUIntBE(at * size, 3);
  return Uint32Array.from({ length: pixels.length / size }, read);
}

function mostCommon(colours, most) {
  const counts = new Map();
  for (const colour of colours) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const inOrder = [...counts].sort(([, a], [, b]) => b - a);
  return inOrder.slice(0, most).map(([colour]) => colour);
}

function nearest(colours, palette) {
  const places = new Map(palette.map((colour, at) => [colour, at]));
  for (const colour of new Set(colours)) {
    if (places.has(colour)) continue;
    const far = palette.map((other) => distance(colour, other));
    places.set(colour, far.indexOf(Math.min(...far)));
  }
  return places;
}

const channels = (colour) => [colour >> 16, (colour >> 8) & 255, colour & 255];

function distance(one, other) {
  const [a, b] = [channels(one), channels(other)];
  return a.reduce((sum, channel, at) => sum + (channel - b[at]) ** 2, 0);
}

function chunk(name, data) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const out = Buffer.alloc(8 + body.length);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc(body), 4 + body.length);
  return out;
}

function crc(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return (value ^ 0xffffffff) >>> 0;
}
