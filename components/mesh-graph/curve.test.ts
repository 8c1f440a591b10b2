import { describe, expect, it } from "vitest";
import { curveBetween, distanceTo, pointAt } from "./curve.ts";

const a = { x: 0, y: 0, r: 20 };
const b = { x: 200, y: 80, r: 30 };

describe("curveBetween", () => {
  it("touches neither ring and ends where it should", () => {
    const curve = curveBetween(a, b);
    for (let t = 0; t <= 1; t += 0.05) {
      const { x, y } = pointAt(curve, t);
      expect(Math.hypot(x - a.x, y - a.y)).toBeGreaterThan(a.r);
      expect(Math.hypot(x - b.x, y - b.y)).toBeGreaterThan(b.r);
    }
    expect(pointAt(curve, 0)).toEqual(curve[0]);
    expect(pointAt(curve, 1)).toEqual(curve[3]);
  });
  it("bows below on the way back and beside within a column", () => {
    expect(pointAt(curveBetween(b, a), 0.5).y).toBeGreaterThan(b.y + b.r);
    expect(pointAt(curveBetween(a, { x: 0, y: 120, r: 20 }), 0.5).x).toBeGreaterThan(a.r);
  });
});

it("measures the distance of the pointer", () => {
  const curve = curveBetween(a, b);
  expect(distanceTo(curve, pointAt(curve, 0.4), 6)).toBeLessThan(6);
  expect(distanceTo(curve, { x: 0, y: 400 }, 6)).toBe(Number.POSITIVE_INFINITY);
});
