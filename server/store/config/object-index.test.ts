import { expect, test } from "vitest";
import type { ConfigObject } from "../../config/object.ts";
import type { Commit, ConfigChange } from "../../config/store.ts";
import { ObjectIndex } from "./object-index.ts";

const object = (namespace: string, name: string, kind = "Service"): ConfigObject => ({
  apiVersion: "v1",
  kind,
  metadata: { namespace, name },
  spec: {},
});
const keyOf = ({ kind, metadata }: ConfigObject) => ({ kind, namespace: metadata.namespace, name: metadata.name });
const commit = (revision: number, ...changes: ConfigChange[]): Commit => ({ revision, at: 0, author: "ada", changes });
const names = (index: ObjectIndex, query = {}) =>
  index.list(query).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);

test("lists by namespace and name, by kind and namespace, and follows the next commit", () => {
  const index = new ObjectIndex();
  index.fill([object("b", "x"), object("a", "z"), object("a", "y", "Gateway")], 4);
  expect(names(index)).toEqual(["a/y", "a/z", "b/x"]);
  expect(names(index, { kind: "Gateway" })).toEqual(["a/y"]);
  const [gone, made] = [object("b", "x"), object("a", "a")];
  index.apply(
    commit(5, { type: "DELETED", key: keyOf(gone), before: gone }, { type: "ADDED", key: keyOf(made), after: made }),
  );
  expect(index.revision).toBe(5);
  expect(names(index)).toEqual(["a/a", "a/y", "a/z"]);
  expect(index.get(keyOf(gone))).toBeUndefined();
});

test("a commit that isn't the next, and a read that was overtaken, change nothing", () => {
  const index = new ObjectIndex();
  const made = object("a", "a");
  const added: ConfigChange = { type: "ADDED", key: keyOf(made), after: made };
  index.apply(commit(1, added));
  expect(index.revision).toBe(0);
  index.fill([], 7);
  index.apply(commit(9, added));
  index.fill([made], 6);
  expect([index.revision, names(index)]).toEqual([7, []]);
});
