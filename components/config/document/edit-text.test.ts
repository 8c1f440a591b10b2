import { describe, expect, it, test } from "vitest";
import { parse, stringify } from "yaml";
import { editText, sameJson } from "./edit-text.ts";
import { placeOf, readObject } from "./read-object.ts";
import { valueAt, type YamlEdit } from "./yaml-edit.ts";

const written = `# who to ask: the shop's team
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  futureField: {kept: "as it is"}
  http:
  # before everything
  - name: first # aside
    timeout: 2s
    route:
    - destination: {host: reviews, subset: v1}
      weight: 80
    - destination: {host: reviews, subset: v2}
      weight: 20

  - name: second
    route:
    - destination:
        host: reviews
`;

const edit = (...edits: YamlEdit[]) => editText(written, edits);

/** Lines of the second text that the first has not, and the other way round. */
const changed = (before: string, after: string) => ({
  gone: before.split("\n").filter((line) => !after.split("\n").includes(line)),
  come: after.split("\n").filter((line) => !before.split("\n").includes(line)),
});

describe("what the form changes in a text", () => {
  it("is only the scalar, where it is one", () => {
    const after = edit({ op: "set", path: ["spec", "http", 0, "route", 1, "weight"], value: 35 });
    expect(after).toBe(written.replace("weight: 20", "weight: 35"));
    expect(edit({ op: "set", path: ["spec", "http", 0, "route", 0, "destination", "subset"], value: "v3" })).toBe(
      written.replace("subset: v1", "subset: v3"),
    );
  });

  it("keeps a text that looks like another type a text", () => {
    const after = edit({ op: "set", path: ["spec", "http", 0, "timeout"], value: "5" });
    expect(valueAt(parse(after), ["spec", "http", 0, "timeout"])).toBe("5");
    const flow = edit({ op: "set", path: ["spec", "futureField", "kept"], value: "a, b: c}" });
    expect(valueAt(parse(flow), ["spec", "futureField"])).toEqual({ kept: "a, b: c}" });
  });

  it("is new lines in the text's own style, with comments and unknown fields where they were", () => {
    const after = edit({ op: "set", path: ["spec", "http", 1, "retries", "attempts"], value: 3 });
    expect(changed(written, after)).toEqual({ gone: [], come: ["    retries:", "      attempts: 3"] });
  });

  it("takes away what it leaves empty, and nothing more", () => {
    const once = edit({ op: "set", path: ["spec", "http", 1, "retries", "attempts"], value: 3 });
    expect(editText(once, [{ op: "set", path: ["spec", "http", 1, "retries", "attempts"], value: undefined }])).toBe(
      written,
    );
    // An alternative without conditions means every request: it is no leftover.
    const matched = edit({ op: "set", path: ["spec", "http", 1, "match", 0, "uri"], value: { prefix: "/" } });
    const emptied = editText(matched, [{ op: "set", path: ["spec", "http", 1, "match", 0, "uri"], value: undefined }]);
    expect(valueAt(parse(emptied), ["spec", "http", 1, "match"])).toEqual([{}]);
  });

  it("moves a rule with its comments, and back", () => {
    const moved = edit({ op: "move", path: ["spec", "http"], from: 0, to: 1 });
    const { spec } = parse(moved) as { spec: { http: { name: string }[] } };
    expect(spec.http.map(({ name }) => name)).toEqual(["second", "first"]);
    expect(moved).toMatch(/# before everything\n +- name: first # aside/);
    expect(parse(editText(moved, [{ op: "move", path: ["spec", "http"], from: 1, to: 0 }]))).toEqual(parse(written));
  });

  it("duplicates, inserts and renames", () => {
    const twice = parse(edit({ op: "duplicate", path: ["spec", "http"], index: 0 }));
    expect(valueAt(twice, ["spec", "http", 1])).toEqual(valueAt(parse(written), ["spec", "http", 0]));
    const rule = { name: "new", directResponse: { status: 418 } };
    expect(
      valueAt(parse(edit({ op: "insert", path: ["spec", "http"], index: 0, value: rule })), ["spec", "http", 0]),
    ).toEqual(rule);
    const tls = edit({ op: "insert", path: ["spec", "tls"], index: 0, value: { match: [] } });
    expect(valueAt(parse(tls), ["spec", "tls"])).toEqual([{ match: [] }]);
    const renamed = edit({ op: "rename", path: ["spec"], from: "futureField", to: "otherField" });
    expect(renamed).toBe(written.replace("futureField", "otherField"));
  });

  it("says what it can't do", () => {
    const aliased = "a: &x {b: 1}\nc: *x\n";
    expect(() => editText(aliased, [{ op: "set", path: ["c", "b"], value: 2 }])).toThrow(/alias/);
    expect(editText("a: [", [{ op: "set", path: ["a"], value: 1 }])).toBe("a: [");
  });
});

/** Numbers in a fixed order: a failure comes back. https://en.wikipedia.org/wiki/Lehmer_random_number_generator */
function lehmer(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const scalars = ["v1", "500ms", "", "yes", "08", "a: b", "# no comment", "- x", "línea\nzwei", 0, 42, 0.5, true, false];

function randomValue(random: () => number, depth: number): unknown {
  const pick = random();
  if (depth === 0 || pick < 0.5) return scalars[Math.floor(random() * scalars.length)];
  const size = 1 + Math.floor(random() * 3);
  if (pick < 0.75) return Array.from({ length: size }, () => randomValue(random, depth - 1));
  return Object.fromEntries(Array.from({ length: size }, (_, i) => [`f${i}`, randomValue(random, depth - 1)]));
}

function randomPaths(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...inner.flatMap(([key, one]) => randomPaths(one, [...path, key]))];
}

test.each(Array.from({ length: 150 }, (_, seed) => seed + 1))("round trips of a random object, seed %i", (seed) => {
  const random = lehmer(seed * 7919);
  const spec = { known: randomValue(random, 3), more: randomValue(random, 3) };
  const text = stringify({ kind: "X", spec }, { lineWidth: 0 });
  const paths = randomPaths({ spec }).filter((path) => path.length > 1);
  const path = paths[Math.floor(random() * paths.length)] ?? ["spec", "known"];
  const before = valueAt({ spec }, path);
  // Writing what stands there, and adding then taking away, change no character.
  expect(editText(text, [{ op: "set", path, value: structuredClone(before) }])).toBe(text);
  const added = editText(text, [{ op: "set", path: ["spec", "added", "deep"], value: randomValue(random, 2) }]);
  expect(editText(added, [{ op: "set", path: ["spec", "added", "deep"], value: undefined }])).toBe(text);
  // What is written is what is read; the rest is as it was.
  const value = randomValue(random, 2);
  const read: unknown = parse(editText(text, [{ op: "set", path, value }]));
  expect(sameJson(valueAt(read, path), value)).toBe(true);
  const back: unknown = parse(editText(stringify(read, { lineWidth: 0 }), [{ op: "set", path, value: before }]));
  expect(sameJson(back, { kind: "X", spec })).toBe(true);
});

test("a field's place in a text", () => {
  expect(placeOf(written, ["spec", "http", 0, "route", 1, "weight"])?.line).toBe(17);
  expect(placeOf(written, ["spec", "http", 1, "retries", "attempts"])?.line).toBe(19);
  expect(written.slice(placeOf(written, ["spec", "http", 0, "timeout"])?.from).startsWith("timeout")).toBe(true);
});

test("a text that is no object says where", () => {
  expect(readObject("a: [1\nb: 2")).toMatchObject({ ok: false });
  expect(readObject("- a")).toMatchObject({ ok: false, problems: [{ message: "must be one object" }] });
});
