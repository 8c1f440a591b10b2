import { describe, expect, it } from "vitest";
import { type Curve, curveBetween, distanceTo, pointAt, samplesOf, through } from "./curve.ts";

const a = { x: 0, y: 0, r: 20, below: 40 };
const b = { x: 200, y: 80, r: 30, below: 40 };
const ends = ({ points }: Curve) => [points[0], points.at(-1)];

describe("curveBetween", () => {
  it("touches neither ring and ends where it should", () => {
    const curve = curveBetween(a, b);
    for (let t = 0; t <= 1; t += 0.05) {
      const { x, y } = pointAt(curve, t);
      expect(Math.hypot(x - a.x, y - a.y)).toBeGreaterThan(a.r);
      expect(Math.hypot(x - b.x, y - b.y)).toBeGreaterThan(b.r);
    }
    expect([pointAt(curve, 0), pointAt(curve, 1)]).toEqual(ends(curve));
  });
  it("leaves beside the name below a ring, however steep the call is", () => {
    const curve = curveBetween(a, { ...b, y: 600 });
    const [start] = ends(curve);
    for (const { x, y } of samplesOf(curve, 20))
      if (y < a.r + a.below) expect(x).toBeGreaterThan((start?.x ?? 0) - 0.1);
    expect(start?.y).toBeLessThan(a.r);
  });
  it("bows below on the way back and beside within a column", () => {
    expect(pointAt(curveBetween(b, a), 0.5).y).toBeGreaterThan(b.y + b.r);
    expect(pointAt(curveBetween(a, { x: 0, y: 120, r: 20, below: 40 }), 0.5).x).toBeGreaterThan(a.r);
  });
  it("starts below the name where calls go down", () => {
    const [start, end] = ends(curveBetween(a, { x: 10, y: 160, r: 20, below: 40 }, "down"));
    expect(start?.y).toBeGreaterThanOrEqual(a.r + a.below);
    expect(end?.y).toBeLessThan(160 - 20);
  });
});

it("goes through its stretches in a straight line, at an even pace", () => {
  const curve = through(a, { ...b, x: 600 }, [{ from: { x: 200, y: -50 }, to: { x: 400, y: -50 } }], "right");
  const inside = samplesOf(curve, 40).filter(({ x }) => x >= 200 && x <= 400);
  expect(inside.length).toBeGreaterThan(10);
  for (const { y } of inside) expect(y).toBeCloseTo(-50);
  expect(pointAt(curve, 0.5).x).toBeGreaterThan(200);
  expect(pointAt(curve, 0.5).x).toBeLessThan(400);
});

it("measures the distance of the pointer", () => {
  const curve = curveBetween(a, b);
  expect(distanceTo(curve, pointAt(curve, 0.4), 6)).toBeLessThan(6);
  expect(distanceTo(curve, { x: 0, y: 400 }, 6)).toBe(Number.POSITIVE_INFINITY);
});
