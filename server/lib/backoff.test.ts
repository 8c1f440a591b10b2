import { expect, test } from "vitest";
import { Backoff } from "./backoff.ts";

test("doubles up to the limit, and starts over after a reset", () => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 500, random: () => 1 });
  expect([backoff.next(), backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([
    100, 200, 400, 500, 500,
  ]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

test("jitter never gets to zero", () => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 500, random: () => 0 });
  expect(backoff.next()).toBe(50);
});
