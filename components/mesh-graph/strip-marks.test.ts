import { expect, it } from "vitest";
import { placeMarks } from "./strip-marks.ts";

const mark = (x: number, text = "reviews 50/30/20", weight = 1) => ({ change: x, x, text, weight });
const labelled = (placed: ReturnType<typeof placeMarks<number>>) =>
  placed.filter(({ label }) => label).map(({ changes }) => changes[0]);

it("gathers what stands too near to be told apart, under the weightiest of them", () => {
  const placed = placeMarks([mark(400), mark(404, "fault on ratings", 3), mark(409), mark(700)], 1000);
  expect(placed.map(({ changes }) => changes)).toEqual([[404, 409, 400], [700]]);
  expect(placed[0]?.label).toMatchObject({ text: "fault on ratings", more: 2 });
});

it("gives words to the weightier, then to the newer, where two would cover each other", () => {
  expect(labelled(placeMarks([mark(400), mark(430)], 1000))).toEqual([430]);
  expect(labelled(placeMarks([mark(400, "fault on ratings", 3), mark(430)], 1000))).toEqual([400]);
});

it("keeps words apart and inside of the strip", () => {
  for (const width of [170, 360, 1000]) {
    const marks = Array.from({ length: 40 }, (_, i) =>
      mark((i * width) / 39, "fault on ratings: 10 % 300 ms late", i % 3),
    );
    const labels = placeMarks(marks, width).flatMap(({ label }) => (label ? [label] : []));
    expect(labels.length).toBeGreaterThan(0);
    for (const [index, { left, width: size }] of labels.entries()) {
      expect(left).toBeGreaterThanOrEqual(0);
      expect(left + size).toBeLessThanOrEqual(width + 0.01);
      const next = labels[index + 1];
      if (next) expect(next.left).toBeGreaterThanOrEqual(left + size);
    }
  }
});
