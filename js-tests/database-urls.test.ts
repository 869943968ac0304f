// URLs of databases; py-tests/test_database_urls.py is the twin.
import { expect, test } from "vitest";
import { connect } from "../wasm/ts/database.js";
import { parseDatabaseUrl } from "../wasm/ts/database-url.js";
import { ResealError } from "../wasm/ts/errors.js";
import urls from "./fixtures/database-urls.json" with { type: "json" };

test.each(urls.good as [string, Record<string, unknown>][])("%s", (url, expected) => {
  expect(parseDatabaseUrl(url)).toMatchObject(expected);
});

test.each(urls.bad as [string, string][])("not in order: %j", async (url, words) => {
  const error: unknown = await connect(url).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ResealError);
  const { code, message } = error as ResealError;
  expect(code).toBe("invalid-argument");
  expect(message).toContain(words);
  for (const part of ["s3", "cret", "anna"]) expect(message).not.toContain(part);
});

test("a URL is text", async () => {
  for (const url of [null, 1, new URL("postgresql://u:p@h/d")]) {
    await expect(connect(url as never)).rejects.toBeInstanceOf(ResealError);
  }
});
