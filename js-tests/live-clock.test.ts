// Clocks that are none, that fail or go back, and code that uses a ring while the ring is at work.
import { expect, test } from "vitest";
import { ResealError } from "reseal";
import { clock, file, follow, live, useLive } from "./live-scene.js";
import { rotate } from "./live-support.js";
import { refuses } from "./support.js";

useLive();

test.each(["soon", null, undefined, -1, NaN, Infinity, 1e300, 5n])(
  "a clock that is none: %s",
  (answer) => {
    const ring = follow({ clock: () => answer as number });
    refuses("invalid-argument", () => ring.primaryId);
    refuses("invalid-argument", () => ring.status());
  },
);

test("what a clock throws is thrown", () => {
  const ring = follow({
    clock: () => {
      throw new RangeError("broken");
    },
  });
  expect(() => ring.seal("x", {})).toThrow(RangeError);
  expect(String(ring)).toBe("LiveKeyring(not loaded)");
});

test("a clock that fails after a look loses no ring", () => {
  const answers = [1];
  const ring = follow({
    clock: () => {
      const answer = answers.pop();
      if (answer === undefined) throw new RangeError("broken");
      return answer;
    },
  });
  expect(() => ring.seal("x", {})).toThrow(RangeError);
  expect(String(ring)).not.toBe("LiveKeyring(not loaded)");
  answers.push(...Array<number>(10).fill(1));
  expect(ring.seal("x", {})).toBeTruthy();
  expect(ring.status().lastError).toBeUndefined();
});

test("a clock that goes back causes a look", () => {
  live.seal("x", {});
  const second = rotate(file);
  clock.now -= 500;
  expect(live.primaryId).toBe(second);
});

test("a clock that uses the ring, or disposes of it", () => {
  const codes: string[] = [];
  let depth = 0;
  let act: () => unknown = () => nested.seal("a log line", {});
  const nested = follow({
    checkSeconds: 0,
    reloadSeconds: 0,
    clock: () => {
      if (depth === 0) {
        depth += 1;
        try {
          act();
          codes.push("ok");
        } catch (error) {
          codes.push((error as ResealError).code);
        }
        depth -= 1;
      }
      return clock.now++;
    },
  });
  for (let i = 0; i < 3; i++) {
    rotate(file);
    const stored = nested.seal("x", {});
    expect(nested.openString(nested.reseal(stored, {}, "padded"), {})).toBe("x");
  }
  expect(new Set(codes)).toEqual(new Set(["ok"]));
  act = () => nested.dispose();
  refuses("invalid-argument", () => nested.seal("x", {}));
});

test("a context that uses the ring while it is read", () => {
  const eager = follow({ checkSeconds: 0, reloadSeconds: 0 });
  const context = {
    get row() {
      rotate(file);
      clock.now += 1;
      return eager.seal("x", {}).length;
    },
  };
  const stored = eager.seal("x", context);
  expect(eager.openString(stored, context)).toBe("x");
  const field = eager.field({});
  expect(field.openString(field.reseal(field.seal("x", context), context), context)).toBe("x");
  expect(eager.openManyString(eager.sealMany(["x"], [context]) as string[], [context])).toEqual([
    "x",
  ]);
});
