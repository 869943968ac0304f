// What edits of keysets have in common, wherever they lie: who was slower begins anew, for a while.

/** How long an edit begins anew because others were quicker. */
const EDIT_MS = 10_000;
const PAUSE_MS = 20;

/** Of an edit that begins: what its saves fail with gives a pause in ms, or is thrown. */
export function untilLate(): (error: unknown) => number {
  const deadline = performance.now() + EDIT_MS;
  return (error) => {
    const isConflict = (error as { code?: unknown } | null)?.code === "keyset-conflict";
    if (!isConflict || performance.now() >= deadline) throw error;
    return Math.random() * PAUSE_MS;
  };
}
