// The two comparisons that the properties need, in Node and in browsers.

/** Fails unless both are the same, bytes byte by byte. */
export function equal(got, expected) {
  if (spelled(got) !== spelled(expected)) throw new Error("not what was expected");
}

/** Fails unless `call` throws an error of the package. */
export function refuses(ResealError, call) {
  try {
    call();
  } catch (error) {
    if (error instanceof ResealError) return;
    throw error;
  }
  throw new Error("passed, expected an error of the package");
}

/** One text for equal things. Lone surrogates stay what they are, and -0 is not 0. */
function spelled(thing) {
  return JSON.stringify(thing, (_, value) => {
    if (value instanceof Uint8Array) return `bytes ${value.join()}`;
    if (typeof value === "bigint") return `bigint ${value}`;
    if (value === undefined) return "undefined";
    return Object.is(value, -0) ? "-0" : value;
  });
}
