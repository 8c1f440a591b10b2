import { expect, it } from "vitest";
import { stateOf } from "./mutual-tls-state.ts";

const port = (mode: "STRICT" | "PERMISSIVE") => ({ port: 1, mode, by: null, plain: 0, mutual: 0 });
const workload = { proxy: "certified" as const, ports: [port("PERMISSIVE")], plain: 0, mutual: 0, turnedAway: 0 };

it.each([
  [{}, "silent"],
  [{ mutual: 3 }, "ready"],
  [{ mutual: 3, plain: 1 }, "plain"],
  [{ ports: [port("STRICT")], mutual: 3, plain: 1 }, "strict"],
  [{ ports: [port("STRICT"), port("PERMISSIVE")], plain: 1 }, "plain"],
  [{ ports: [port("STRICT")], turnedAway: 1 }, "turned-away"],
  [{ proxy: "none" as const, plain: 3 }, "no-proxy"],
  [{ proxy: "uncertified" as const }, "no-certificate"],
])("%o is %s", (its, expected) => {
  expect(stateOf({ ...workload, ...its })).toBe(expected);
});
