import { expect, it } from "vitest";
import { rememberEach } from "./remember.ts";

it("calls once for each key and time, whoever asks, and forgets failures and the oldest keys", async () => {
  let now = 0;
  const calls: string[] = [];
  const load = async (key: string) => {
    calls.push(key);
    if (key === "bad") throw new Error("no");
    return key.toUpperCase();
  };
  const clock = { now: () => now, setTimeout: () => ({ cancel() {} }) };
  const ask = rememberEach(load, { ms: 1000, maxKeys: 2, keyOf: (key) => key, clock });
  expect(await Promise.all([ask("a"), ask("a"), ask("b")])).toEqual(["A", "A", "B"]);
  expect(calls).toEqual(["a", "b"]);
  now = 1000;
  await ask("a");
  expect(calls).toEqual(["a", "b", "a"]);
  await ask("c"); // b goes
  await ask("a");
  await ask("b");
  expect(calls).toEqual(["a", "b", "a", "c", "b"]);
  await expect(ask("bad")).rejects.toThrow();
  await expect(ask("bad")).rejects.toThrow();
  expect(calls.filter((key) => key === "bad")).toHaveLength(2);
});
