import { expect, it } from "vitest";
import { allTo, apportion, dividerAt, dividerBounds, evenOut, moveDivider, type SplitPart, setPart } from "./split.ts";

const parts = (...weights: number[]): SplitPart[] => weights.map((weight) => ({ weight, locked: false }));
const lock = (split: SplitPart[], ...indexes: number[]) =>
  split.map((part, i) => (indexes.includes(i) ? { ...part, locked: true } : part));
const weights = (split: readonly SplitPart[]) => split.map(({ weight }) => weight);

it("moves a divider between its neighbours", () => {
  expect(weights(moveDivider(parts(80, 20, 0), 0, 70))).toEqual([70, 30, 0]);
  expect(weights(moveDivider(parts(70, 30, 0), 1, 90))).toEqual([70, 20, 10]);
});

it("pushes the next part when one is used up", () => {
  expect(weights(moveDivider(parts(70, 20, 10), 0, 95))).toEqual([95, 0, 5]);
  expect(weights(moveDivider(parts(70, 20, 10), 1, 50))).toEqual([50, 0, 50]);
});

it("reaches past a locked part, and leaves it as it is", () => {
  expect(weights(moveDivider(lock(parts(70, 20, 10), 1), 0, 75))).toEqual([75, 20, 5]);
  expect(weights(moveDivider(lock(parts(70, 20, 10), 1), 1, 85))).toEqual([65, 20, 15]);
});

it("knows how far a divider can go", () => {
  expect(dividerBounds(parts(70, 20, 10), 0)).toEqual({ min: 0, max: 100 });
  expect(dividerBounds(lock(parts(70, 20, 10), 2), 0)).toEqual({ min: 0, max: 90 });
  expect(dividerBounds(lock(parts(70, 20, 10), 0), 0)).toEqual({ min: 70, max: 70 });
});

it("shares the rest as before when a number is typed", () => {
  expect(weights(setPart(parts(50, 30, 20), 0, 0))).toEqual([0, 60, 40]);
  expect(weights(setPart(parts(100, 0, 0), 0, 91))).toEqual([91, 5, 4]);
  expect(weights(setPart(lock(parts(50, 30, 20), 1), 0, 90))).toEqual([70, 30, 0]);
});

it("cannot change the only free part", () => {
  expect(weights(setPart(lock(parts(50, 30, 20), 1, 2), 0, 90))).toEqual([50, 30, 20]);
});

it("evens out and sends all to one", () => {
  expect(weights(evenOut(parts(100, 0, 0)))).toEqual([34, 33, 33]);
  expect(weights(allTo(lock(parts(50, 30, 20), 2), 1))).toEqual([0, 80, 20]);
});

it("apportions by the largest remainder", () => {
  expect(apportion(10, [1, 1, 1])).toEqual([4, 3, 3]);
  expect(apportion(7, [0, 0])).toEqual([4, 3]);
});

it("keeps whole numbers that sum to 100, and every lock, whatever is done", () => {
  let seed = 42;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  for (let round = 0; round < 300; round++) {
    const count = 2 + random(5);
    let split = evenOut(parts(...Array.from({ length: count }, () => 0)));
    for (let step = 0; step < 30; step++) {
      split = split.map((part) => ({ ...part, locked: random(4) === 0 }));
      const before = split;
      const action = random(4);
      const at = random(count);
      if (action === 0) split = moveDivider(split, random(count - 1), random(141) - 20 + random(10) / 7);
      else if (action === 1) split = setPart(split, at, random(141) - 20);
      else if (action === 2) split = evenOut(split);
      else split = allTo(split, at);
      const now = weights(split);
      expect(now.every((weight) => Number.isInteger(weight) && weight >= 0)).toBe(true);
      expect(dividerAt(split, count - 1)).toBe(100);
      before.forEach((part, i) => {
        if (part.locked) expect(split[i]?.weight).toBe(part.weight);
      });
    }
  }
});

it("puts a divider where it is asked to, as long as nothing is locked", () => {
  for (let to = 0; to <= 100; to++) {
    expect(dividerAt(moveDivider(parts(20, 30, 50), 1, to), 1)).toBe(to);
  }
});
