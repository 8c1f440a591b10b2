import { expect, test } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import type { Commit, ConfigChange } from "../config/store.ts";
import { PendingChanges } from "./pending-changes.ts";

const change = (name: string, generation: number): ConfigChange => {
  const after: ConfigObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default", generation },
    spec: {},
  };
  return { type: "MODIFIED", key: { kind: "Service", namespace: "default", name }, after };
};
const commit = (revision: number, ...changes: ConfigChange[]): Commit => ({ revision, at: 1, author: "me", changes });
const show = (changes: readonly ConfigChange[]) =>
  changes.map(({ key, after }) => `${key.name}@${after?.metadata.generation}`);

test("the last change of each object, and the revision they lead to", () => {
  const pending = new PendingChanges();
  pending.add(commit(2, change("a", 1), change("b", 1)));
  pending.add(commit(3, change("a", 2)));
  const { changes, commits, revision } = pending.take();
  expect(show(changes)).toEqual(["b@1", "a@2"]);
  expect([revision, commits.map((it) => it.revision)]).toEqual([3, [2, 3]]);
  expect(pending.take()).toEqual({ changes: [], commits: [], revision: undefined });
});

test("a flood of commits stays as small as the config", () => {
  const pending = new PendingChanges();
  for (let revision = 1; revision <= 10_000; revision++) pending.add(commit(revision, change("a", revision)));
  const { changes, commits } = pending.take();
  expect([changes.length, commits.length, commits.at(-1)?.revision]).toEqual([1, 200, 10_000]);
});

test("what could not be applied is taken again, under what came since", () => {
  const pending = new PendingChanges();
  pending.add(commit(2, change("bad", 1), change("good", 1)));
  const { changes } = pending.take();
  pending.add(commit(3, change("bad", 2)));
  pending.giveBack(changes);
  expect(show(pending.take().changes)).toEqual(["good@1", "bad@2"]);
});
