// Measures ways to do the same in turns, so that a busy machine disturbs all alike.

/** Time that one way gets in one round. */
const ROUND_MS = 25;

/**
 * Runs the ways in turns and keeps medians: of microseconds, and of the times of `first` over those
 * of each other way within a round. A way is a function, or one with how many values it handles.
 */
export function measure(ways, first, rounds) {
  const tasks = Object.entries(ways).map(([name, given]) => {
    const [run, each] = Array.isArray(given) ? given : [given, 1];
    const times = timed(run, 3) < 1 ? 3 : 1;
    const once = Math.max(timed(run, times) / times, 1e-6);
    return { name, run, each, times: Math.max(1, Math.ceil(ROUND_MS / once)), micros: [] };
  });
  // The first estimate came from cold code.
  for (const task of tasks) {
    const warm = timed(task.run, task.times) / task.times;
    task.times = Math.max(1, Math.ceil(ROUND_MS / warm));
  }
  for (let round = 0; round < rounds; round++) {
    for (const task of round % 2 === 0 ? tasks : [...tasks].reverse()) {
      task.micros.push((timed(task.run, task.times) * 1000) / task.times / task.each);
    }
  }
  const ours = tasks.find(({ name }) => name === first).micros;
  const micros = {};
  const ratios = {};
  for (const { name, micros: theirs } of tasks) {
    micros[name] = median(theirs);
    if (name !== first) ratios[name] = median(theirs.map((time, i) => ours[i] / time));
  }
  return { micros, ratios };
}

function timed(run, times) {
  const start = performance.now();
  for (let i = 0; i < times; i++) run();
  return performance.now() - start;
}

/** The middle one. */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function show(number) {
  return number === undefined ? "" : number.toFixed(number < 100 ? 2 : 0);
}
