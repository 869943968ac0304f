// The census of columns that mix all formats: what every value is, told without its key. The values
// stand in testkit/fixtures/census.json; Python and Rust count the same.
import { expect, test } from "vitest";
import { codecs, Column, Key, Keyring, type Codec } from "reseal";
import { read } from "./support.js";

interface Row {
  readonly stored: string | { hex: string } | null;
  readonly kind: string | null;
  readonly key: string | null;
  readonly certainty: "yes" | "maybe" | null;
  readonly made_by: string | null;
}

const document = JSON.parse(read("../testkit/fixtures/census.json")) as {
  [form in "text" | "binary" as `${form}_counts`]: Record<string, number>;
} & { [form in "text" | "binary"]: readonly Row[] };
const zeros = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const all: readonly Codec[] = [
  codecs.reseal(new Keyring({ primary: Key.generate() })),
  codecs.fernet({ keys: [zeros] }),
  codecs.djangoFernet({ secrets: ["a secret that opens nothing"], salts: ["a salt"] }),
  codecs.fernetFields({ secrets: ["a secret that opens nothing"] }),
  codecs.djangoCryptography({ secrets: ["a secret that opens nothing"] }),
  codecs.sentry({ keys: { other: zeros }, primary: "other" }),
  codecs.rails({ primaryKeys: ["another key"], keyDerivationSalt: "another salt" }),
  codecs.metabase({ keys: ["a secret that opens nothing here"] }),
  codecs.n8n({ instanceKeys: ["a key that opens nothing here"] }),
  codecs.freeboard({ keys: [zeros] }),
  codecs.sqlalchemyUtils({ keys: ["a key that opens nothing here"], expect: "json" }),
  codecs.plain(),
];
/** Whose values are tokens, which do not show the library that derived their key. */
const borrowed = ["django-fernet", "fernet-fields"];

for (const form of ["text", "binary"] as const) {
  const [counts, rows] = [document[`${form}_counts`], document[form]];
  const stored = rows.map(({ stored }) =>
    typeof stored === "object" && stored !== null ? Buffer.from(stored.hex, "hex") : stored,
  );
  /** It has every codec, and of each another key than the values have. */
  const binary = form === "binary";
  const type = binary ? "bytes" : "text";
  const column = new Column({ write: all[0]!, read: all.slice(1), binary, type });

  test(`the census: ${form}`, () => {
    const found: Record<string, number> = {};
    column.classifyMany(stored).forEach((shown, at) => {
      const { kind, key, certainty } = rows[at]!;
      const expected = kind === null ? { null: true } : { codec: kind, certainty, null: false };
      expect(shown).toMatchObject(expected);
      expect((shown as { key?: string }).key ?? null).toBe(key);
      expect(column.classify(stored[at]!)).toEqual(shown);
      const counted = kind === null ? "null" : (shown as { codec: string }).codec;
      found[counted] = (found[counted] ?? 0) + 1;
    });
    expect(found).toEqual(counts);
    // Values of django-cryptography are bytes alone.
    const kinds = all
      .map(({ kind }) => kind)
      .filter((kind) => binary || kind !== "django-cryptography");
    expect(new Set(rows.map((row) => row.made_by))).toEqual(new Set([...kinds, null]));
    const told = kinds.filter((kind) => !borrowed.includes(kind));
    expect(new Set(Object.keys(counts))).toEqual(new Set([...told, "null"]));
  });

  test(`the census without any codec: ${form}`, () => {
    stored.forEach((value, at) => {
      if (value === null) return;
      const { kind, key, certainty } = rows[at]!;
      const [first] = codecs.recognize(value);
      expect(first).toMatchObject({ kind, certainty });
      expect(first?.key ?? null).toBe(key);
    });
  });

  test(`no key of the census opens anything: ${form}`, () => {
    // But the plaintexts of Sentry open for everybody.
    column.resealMany(stored).forEach((outcome, at) => {
      const { kind } = rows[at]!;
      if (outcome.outcome === "resealed") expect(["plain", "sentry"]).toContain(kind);
      else if (outcome.outcome === "refused") expect([null, "plain"]).not.toContain(kind);
      else expect([outcome.outcome, kind]).toEqual(["null", null]);
    });
  });
}
