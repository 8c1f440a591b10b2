import { describe, expect, it } from "vitest";
import { centred, fitInto, isInside, roomOf } from "./fitting.ts";

const places = { x: 0, y: 0, width: 600, height: 300 };
const bounds = { x: -60, y: -60, width: 720, height: 420 };
const drawn = (stretch: { x: number; y: number }) => ({
  ...bounds,
  width: 120 + 600 * stretch.x,
  height: 120 + 300 * stretch.y,
});

describe("fitInto", () => {
  it.each([
    [1240, 790],
    [868, 790],
    [1080, 610],
    [700, 560],
  ])("shows everything in %i × %i and fills one axis", (width, height) => {
    const room = roomOf(width, height, 52);
    const { zoom, stretch } = fitInto(bounds, places, room, "right");
    const whole = drawn(stretch);
    const at = centred(whole, zoom, room);
    expect(whole.x * zoom + at.x).toBeGreaterThanOrEqual(room.left - 0.5);
    expect(whole.y * zoom + at.y).toBeGreaterThanOrEqual(room.top - 0.5);
    const used = [
      (whole.width * zoom) / (width - room.left - room.right),
      (whole.height * zoom) / (height - room.top - room.bottom),
    ];
    expect(Math.max(...used)).toBeGreaterThan(0.98);
    expect(Math.max(...used)).toBeLessThanOrEqual(1.001);
  });
  it("does not blow up a graph of one node", () => {
    const { zoom, stretch } = fitInto(
      { ...bounds, width: 120, height: 120 },
      { ...places, width: 0, height: 0 },
      roomOf(1240, 790, 52),
      "right",
    );
    expect(zoom).toBeLessThan(1.3);
    expect(stretch).toEqual({ x: 1, y: 1 });
  });
});

it("lets everything stay where it is while rings grow and shrink by a little, and not once they would leave the room", () => {
  const room = roomOf(1240, 790, 52);
  const { zoom, stretch } = fitInto(bounds, places, room, "right");
  const whole = drawn(stretch);
  const pan = centred(whole, zoom, room);
  const grown = (by: number) => ({
    x: whole.x - by,
    y: whole.y - by,
    width: whole.width + 2 * by,
    height: whole.height + 2 * by,
  });
  expect([-20, 0, 4].map((by) => isInside(grown(by), zoom, pan, room))).toEqual([true, true, true]);
  expect(isInside(grown(30), zoom, pan, room)).toBe(false);
});
