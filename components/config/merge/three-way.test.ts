import { expect, it, test } from "vitest";
import { conflictsOf, mergedText, mergeThree } from "./three-way.ts";

const base = "a\nb\nc\nd\ne\nf\n";

it("takes over what only one side changed, and what both changed alike", () => {
  const chunks = mergeThree(base, "a\nB\nc\nd\nE\nf\n", "a\nb\nc\nD\nx\ne\nf\n".replace("e", "e"));
  expect(conflictsOf(mergeThree(base, "a\nB\nc\nd\ne\nf\n", "a\nb\nc\nd\nE\nf\n"))).toEqual([]);
  expect(mergedText(mergeThree(base, "a\nB\nc\nd\ne\nf\n", "a\nb\nc\nd\nE\nf\n"), [])).toBe("a\nB\nc\nd\nE\nf\n");
  expect(mergeThree(base, "a\nB\nc\nd\ne\nf\n", "a\nB\nc\nd\ne\nf\n").map(({ kind }) => kind)).toEqual([
    "same",
    "both",
    "same",
  ]);
  // Lines that touch are looked at by somebody.
  expect(conflictsOf(chunks)).toHaveLength(1);
});

it("has one conflict for each place, with a choice of its own", () => {
  const chunks = mergeThree(base, "a\nB1\nc\nd\nE1\nf\n", "a\nB2\nc\nd\nE2\nf\n");
  expect(conflictsOf(chunks)).toEqual([
    { kind: "conflict", base: ["b"], mine: ["B1"], theirs: ["B2"], line: 2 },
    { kind: "conflict", base: ["e"], mine: ["E1"], theirs: ["E2"], line: 5 },
  ]);
  expect(mergedText(chunks, ["theirs", "base"])).toBe("a\nB2\nc\nd\ne\nf\n");
  expect(mergedText(chunks, [])).toBe("a\nB1\nc\nd\nE1\nf\n");
});

it("sees both add at one place, and one delete what the other changed", () => {
  expect(conflictsOf(mergeThree(base, `${base}mine\n`, `${base}theirs\n`))).toHaveLength(1);
  expect(conflictsOf(mergeThree(base, "a\nc\nd\ne\nf\n", "a\nB\nc\nd\ne\nf\n"))).toEqual([
    { kind: "conflict", base: ["b"], mine: [], theirs: ["B"], line: 2 },
  ]);
});

/** Numbers in a fixed order: a failure comes back. */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const shuffled = (random: () => number, text: string): string =>
  text
    .split("\n")
    .flatMap((line) => {
      const pick = random();
      if (pick < 0.15) return [];
      if (pick < 0.3) return [line, `+${Math.floor(random() * 3)}`];
      return pick < 0.4 ? [`${line}!`] : [line];
    })
    .join("\n");

test.each(Array.from({ length: 200 }, (_, seed) => seed + 1))("laws of merging, seed %i", (seed) => {
  const random = lehmer(seed * 7919);
  const text = Array.from({ length: 12 }, () => `l${Math.floor(random() * 6)}`).join("\n");
  const [mine, theirs] = [shuffled(random, text), shuffled(random, text)];
  const chunks = mergeThree(text, mine, theirs);
  const all = (choice: "mine" | "theirs") => conflictsOf(chunks).map(() => choice);
  // Only one side changed something: that is the result.
  expect(mergedText(mergeThree(text, mine, text), [])).toBe(mine);
  expect(mergedText(mergeThree(text, text, theirs), [])).toBe(theirs);
  // The sides change places: so do choices.
  const mirrored = mergeThree(text, theirs, mine);
  expect(mergedText(mirrored, all("theirs"))).toBe(mergedText(chunks, all("mine")));
});
