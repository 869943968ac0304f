// The core with its test doors open, as WebAssembly: fixed nonces and bare primitives.

/** A function that takes a request as an object and gives the answer as one. */
export function testkitOf(module) {
  const kit = new WebAssembly.Instance(module, {}).exports;
  const encoder = new TextEncoder();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  return (request) => {
    const bytes = encoder.encode(JSON.stringify(request));
    const place = kit.reseal_testkit_alloc(bytes.length);
    new Uint8Array(kit.memory.buffer).set(bytes, place);
    const at = kit.reseal_testkit_call(place, bytes.length);
    const length = new DataView(kit.memory.buffer).getUint32(at, true);
    const answer = JSON.parse(decoder.decode(new Uint8Array(kit.memory.buffer, at + 4, length)));
    if (answer.refused !== undefined) throw new Error(`the testkit: ${answer.refused}`);
    return answer;
  };
}

/** The answer of a request that must succeed. */
export function outOf(answer) {
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer.out;
}
