import { expect, test } from "vitest";
import type { Change, ChangeWord } from "../../server/contract/index.ts";
import { foldCanaries } from "./fold-canaries.ts";

const change = (revision: number, word: ChangeWord): Change => ({
  revision,
  at: revision,
  author: "ada",
  summary: "",
  words: [word],
  kind: "config",
  objects:
    word.code === "canary" ? [{ type: "MODIFIED", kind: "Canary", namespace: "default", name: word.canary }] : [],
});
type CanaryWord = Extract<ChangeWord, { code: "canary" }>;
const canary = (revision: number, event: CanaryWord["event"], name = "reviews") =>
  change(revision, { code: "canary", canary: name, event, version: "v3", weight: 10 });

test("each run is one entry, where its newest change stands", () => {
  const changes = [
    canary(9, "step"),
    change(8, { code: "own", text: "something else" }),
    canary(7, "step"),
    canary(6, "rollback"),
    canary(5, "finished", "ratings"),
    canary(4, "paused"),
    canary(3, "step"),
    canary(2, "finished"),
    canary(1, "step"),
  ];
  const folded = foldCanaries(changes).map(({ change: { revision }, earlier }) => [
    revision,
    ...earlier.map((one) => one.revision),
  ]);
  expect(folded).toEqual([[9, 7], [8], [6, 4, 3], [5], [2, 1]]);
});
