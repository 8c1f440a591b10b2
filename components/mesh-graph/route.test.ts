import { describe, expect, it } from "vitest";
import { samplesOf } from "./curve.ts";
import { holds, type Rect } from "./rect.ts";
import { type Call, type Obstacle, routeCalls } from "./route.ts";

const disc = (id: string, x: number, y: number) => ({ id, x, y, r: 20, below: 30 });
const [page, ratings] = [disc("page", 0, 100), disc("ratings", 400, 120)];
const reviews: Obstacle = { x: 150, y: 20, width: 100, height: 200, holds: new Set(["v1", "v2"]) };
const details: Obstacle = { x: 170, y: -110, width: 60, height: 90, holds: new Set(["details"]) };
const call = (id: string, source = page, target = ratings): Call => ({ id, source, target });
const route = (calls: Call[], obstacles: Obstacle[], direction: "right" | "down" = "right") =>
  [...routeCalls(calls, obstacles, direction).values()].map((curve) => samplesOf(curve, 40));
const touches = (samples: { x: number; y: number }[], rect: Rect) => samples.some((point) => holds(rect, point));

describe("routeCalls", () => {
  it("goes through the gap between what stands in its way", () => {
    const [samples = []] = route([call("a")], [reviews, details]);
    expect(touches(samples, reviews)).toBe(false);
    expect(touches(samples, details)).toBe(false);
    const across = samples.filter(({ x }) => x > 170 && x < 230).map(({ y }) => y);
    expect(Math.min(...across)).toBeGreaterThan(-20);
    expect(Math.max(...across)).toBeLessThan(20);
  });
  it("goes around where there is no gap", () => {
    const wall = { ...details, y: -400, height: 415 };
    const [samples = []] = route([call("a")], [reviews, wall]);
    expect(touches(samples, reviews)).toBe(false);
    expect(touches(samples, wall)).toBe(false);
    expect(Math.max(...samples.map(({ y }) => y))).toBeGreaterThan(220);
  });
  it("keeps calls on the same way apart", () => {
    const other = disc("other", 0, 140);
    const [first = [], second = []] = route([call("a"), call("b", other)], [reviews]);
    const at = (samples: { x: number; y: number }[]) => samples.find(({ x }) => x > 190)?.y ?? Number.NaN;
    expect(Math.abs(at(first) - at(second))).toBeGreaterThanOrEqual(8.9);
  });
  it("goes straight to what is in the box, and where nothing is in the way", () => {
    const member = { ...ratings, id: "v1", x: 200, y: 100 };
    const [into = [], past = []] = route([call("a", page, member), call("b", page, disc("far", 400, -300))], [reviews]);
    expect(into.at(-1)?.x).toBeLessThan(200);
    expect(into.every(({ y }) => Math.abs(y - 100) < 1)).toBe(true);
    expect(Math.min(...past.map(({ x }) => x))).toBeGreaterThanOrEqual(0);
  });
  it("does the same for calls that go down", () => {
    const turned = { x: 20, y: 150, width: 200, height: 100, holds: new Set<string>() };
    const [samples = []] = route([call("a", disc("a", 100, 0), disc("b", 120, 400))], [turned], "down");
    expect(touches(samples, turned)).toBe(false);
  });
});
