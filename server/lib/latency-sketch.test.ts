import { describe, expect, it } from "vitest";
import { LatencySketch, maxValue, minValue, relativeError } from "./latency-sketch.ts";
import { fractionsFrom } from "./testing/random.ts";

const quantiles = [0, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1];

const distributions: Record<string, (next: () => number) => number> = {
  uniform: (next) => 1 + next() * 500,
  exponential: (next) => -20 * Math.log(1 - next()),
  "log-normal": (next) => Math.exp(3 + Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())),
  "two humps": (next) => (next() < 0.9 ? 2 + next() : 3000 + next() * 100),
  "the whole range": (next) => minValue * (maxValue / minValue) ** next(),
};

const exact = (sorted: number[], q: number) => sorted[Math.floor(q * (sorted.length - 1))] as number;

function expectQuantiles(sketch: LatencySketch, values: number[]): void {
  const sorted = values.toSorted((a, b) => a - b);
  for (const q of quantiles) {
    const want = exact(sorted, q);
    const got = sketch.quantile(q) as number;
    const slack = want < minValue ? minValue : want * relativeError * (1 + 1e-9);
    expect(Math.abs(got - want), `q${q}: ${got} for ${want}`).toBeLessThanOrEqual(slack);
  }
}

describe("LatencySketch", () => {
  for (const [name, draw] of Object.entries(distributions)) {
    it.each([1, 2, 7, 1000])(`is within 1 %% of the exact quantiles: ${name}, %i values`, (n) => {
      for (let seed = 1; seed <= 20; seed++) {
        const next = fractionsFrom(seed * 7919 + n);
        const values = Array.from({ length: n }, () => draw(next));
        const sketch = new LatencySketch();
        for (const value of values) sketch.add(value);
        expect(sketch.count).toBe(n);
        expectQuantiles(sketch, values);
      }
    });
  }

  it("merges, directly and encoded, into what one sketch of all values would be", () => {
    const next = fractionsFrom(42);
    const parts = Object.values(distributions).map((draw) => Array.from({ length: 300 }, () => draw(next)));
    const whole = new LatencySketch();
    const direct = new LatencySketch();
    const encoded = new LatencySketch();
    for (const part of parts) {
      const sketch = new LatencySketch();
      for (const value of part) {
        sketch.add(value);
        whole.add(value);
      }
      direct.merge(sketch);
      encoded.mergeEncoded(sketch.encode());
    }
    expect(direct.encode()).toEqual(whole.encode());
    expect(encoded.encode()).toEqual(whole.encode());
    expectQuantiles(encoded, parts.flat());
  });

  it("survives encoding, counts past 32 bits included", () => {
    const sketch = new LatencySketch();
    sketch.add(0, 3);
    sketch.add(12.5, 6_000_000_000);
    const decoded = LatencySketch.decode(sketch.encode());
    expect(decoded.count).toBe(6_000_000_003);
    expect(decoded.quantile(0.5)).toBeCloseTo(12.5, 0);
    expect(decoded.quantile(0)).toBe(0);
  });

  it("takes a handful of bytes for a handful of values and stays bounded for millions", () => {
    const few = new LatencySketch();
    for (const value of [3.1, 4.4, 12]) few.add(value);
    expect(few.encode().length).toBeLessThanOrEqual(12);
    const many = new LatencySketch();
    for (let value = minValue; value < maxValue * 10; value *= 1.005) many.add(value, 1000);
    expect(many.encode().length).toBeLessThan(1100 * 4);
  });

  it("bounds what lies outside its range", () => {
    const sketch = new LatencySketch();
    sketch.add(-5);
    sketch.add(minValue / 2);
    sketch.add(Number.POSITIVE_INFINITY);
    sketch.add(Number.NaN);
    expect(sketch.count).toBe(3);
    expect(sketch.quantile(0)).toBe(0);
    expect(sketch.quantile(1)).toBeGreaterThanOrEqual(maxValue * (1 - relativeError));
  });

  it("has no quantile without values", () => {
    expect(new LatencySketch().quantile(0.5)).toBeUndefined();
  });

  it.each([
    ["nothing", []],
    ["another format", [9, 0]],
    ["a cut-off count", [1, 0, 5]],
    ["a varint without an end", [1, 128, 128]],
    ["a bin out of range", [1, 0, 255, 255, 3, 1]],
  ])("refuses %s and stays as it was", (_, bytes) => {
    const sketch = new LatencySketch();
    sketch.add(1);
    expect(() => sketch.mergeEncoded(Uint8Array.from(bytes))).toThrow(RangeError);
    expect(sketch.count).toBe(1);
  });
});
