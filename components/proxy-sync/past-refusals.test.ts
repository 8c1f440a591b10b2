import { expect, it } from "vitest";
import type { Change, ProxySync, PushSummary } from "../../server/contract/index.ts";
import { pastRefusals } from "./past-refusals.ts";

const proxy = (id: string, ...details: string[]) =>
  ({ id, types: { CDS: { errors: details.map((detail) => ({ detail })) } } }) as unknown as ProxySync;
const trouble = (id: string, error: string): PushSummary["trouble"][number] => ({
  id,
  name: id,
  state: "nacked",
  ms: 3,
  error,
});
const push = (revision: number, ...of: PushSummary["trouble"]): PushSummary => ({
  revision,
  committedAt: revision,
  author: "ana",
  reason: null,
  complete: true,
  ms: 1,
  proxies: 2,
  acked: 2 - of.length,
  trouble: of,
});
const change: Change = {
  revision: 8,
  at: 8,
  author: "ana",
  summary: "",
  words: [],
  kind: "config",
  objects: [{ type: "MODIFIED", kind: "DestinationRule", namespace: "default", name: "reviews" }],
};

it("has each refusal once for all who gave it in the same words, with what the change wrote", () => {
  const pushes = [
    push(9),
    push(8, trouble("a", "cluster x: no such field"), trouble("b", "cluster x: no such field"), {
      ...trouble("c", ""),
      state: "pending",
    }),
    push(7, trouble("a", "route y: bad regex")),
  ];
  const found = pastRefusals(pushes, [proxy("a", "cluster x: no such field"), proxy("b")], [change]);
  expect(found.map(({ revision, proxies, open, objects }) => [revision, proxies.length, open, objects.length])).toEqual(
    [
      [8, 2, true, 1],
      [7, 1, false, 0],
    ],
  );
});

it("knows that one was settled", () => {
  expect(pastRefusals([push(8, trouble("a", "bad"))], [proxy("a")], [])[0]?.open).toBe(false);
});
