import { expect, it } from "vitest";
import { retryArithmetic } from "./retry-arithmetic.ts";

it("adds tries and waits up, and compares them with the timeout", () => {
  expect(retryArithmetic({ timeout: "2s", retries: { attempts: 2, perTryTimeout: "500ms" } })).toEqual({
    tries: 3,
    perTryMs: 500,
    // 25 ms × (2 − 1), then × (4 − 1).
    backoffMs: 100,
    worstMs: 1600,
    timeoutMs: 2000,
    fitting: null,
  });
});

it("says how many tries a timeout leaves room for", () => {
  expect(retryArithmetic({ timeout: "1s", retries: { attempts: 3, perTryTimeout: "400ms" } })).toMatchObject({
    worstMs: 1875,
    fitting: 2,
  });
  // Without a bound of its own the first try may take it all.
  expect(retryArithmetic({ timeout: "1s", retries: { attempts: 3 } })).toMatchObject({ perTryMs: 1000, fitting: 1 });
  expect(retryArithmetic({ timeout: "1s", retries: { attempts: 1, perTryTimeout: "3s" } })).toMatchObject({
    fitting: 1,
  });
});

it("knows what holds without a word, and that a long wait is bounded", () => {
  expect(retryArithmetic({})).toMatchObject({
    tries: 3,
    perTryMs: null,
    worstMs: null,
    timeoutMs: null,
    fitting: null,
  });
  expect(retryArithmetic({ timeout: "1s", retries: { attempts: 0 } })).toMatchObject({
    tries: 1,
    worstMs: 1000,
    fitting: null,
  });
  expect(retryArithmetic({ retries: { attempts: 6, perTryTimeout: "1s" } }).backoffMs).toBe(25 + 75 + 175 + 250 * 3);
  expect(retryArithmetic({ timeout: "soon", retries: "many" })).toMatchObject({ timeoutMs: null, tries: 1 });
});
