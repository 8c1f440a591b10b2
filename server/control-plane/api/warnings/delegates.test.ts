import { describe, expect, test } from "vitest";
import { keyOf } from "../../../config/object.ts";
import { buildMesh } from "../../../model/mesh.ts";
import { warningsOf } from "./index.ts";
import { base, nowMs, objects, texts } from "./testing/warn.ts";

const to = "route: [{ destination: { host: reviews.default.svc.cluster.local } }]";
const root = (http: string, namespace = "default") =>
  objects(
    `{ kind: VirtualService, metadata: { name: root, namespace: ${namespace} }, spec: { hosts: [ratings.default.svc.cluster.local], http: [${http}] } }`,
  );
const delegate = (http: string, more = "", name = "part") =>
  objects(`{ kind: VirtualService, metadata: { name: ${name}, namespace: team }, spec: { ${more} http: [${http}] } }`);

type Objects = ReturnType<typeof objects>;

/** What is told of the last ones, written into a mesh that has the others. */
const warn = (there: Objects, ...written: Objects) =>
  texts(
    warningsOf(
      written.map((after) => ({ type: "ADDED" as const, key: keyOf(after), after })),
      { mesh: buildMesh([...base, ...there], 1), nowMs, gatewayProxies: undefined },
    ),
  );

describe("a root", () => {
  const by = (name: string, match = "") => root(`{ ${match} delegate: { name: ${name}, namespace: team } }, { ${to} }`);

  test("whose delegate is there, and for it", () => {
    expect(warn(delegate(`{ ${to} }`), ...by("part"))).toEqual([]);
  });

  test("whose delegate is not there, has hosts of its own, or is for others", () => {
    expect(warn(delegate(`{ ${to} }`), ...by("pat"))).toEqual([
      "spec.http[0].delegate: there is no VirtualService team/pat to delegate to, did you mean team/part?; requests of this rule go on to the rules after it",
    ]);
    expect(warn([], ...by("part"))).toEqual([
      "spec.http[0].delegate: there is no VirtualService team/part to delegate to; requests of this rule go on to the rules after it",
    ]);
    expect(warn(delegate(`{ ${to} }`, "hosts: [a.test],"), ...by("part"))).toEqual([
      "spec.http[0].delegate: VirtualService team/part has hosts, and only one without is a delegate; requests of this rule go on to the rules after it",
    ]);
    expect(warn(delegate(`{ ${to} }`, 'exportTo: ["."],'), ...by("part"))).toEqual([
      "spec.http[0].delegate: VirtualService team/part is not exported to the namespace default; requests of this rule go on to the rules after it",
    ]);
  });

  test("that leaves out rules of its delegate, or answers for all of them", () => {
    const parts = delegate(`{ match: [{ uri: { prefix: /b } }], ${to} }, { ${to} }`);
    expect(warn(parts, ...by("part", "match: [{ uri: { prefix: /a } }],"))).toEqual([
      "spec.http[0].match: http[0] of the delegate team/part asks for what this does not let through: it is left out. A delegate's matches must be narrower than the root's",
    ]);
    expect(warn(parts, ...by("part", "directResponse: { status: 503 },"))).toEqual([
      "spec.http[0].directResponse: answers for every rule of the delegate that does not redirect: nothing goes to the delegate's destinations",
    ]);
  });

  test("goes on with its next rules where a delegate takes nothing: they are reached", () => {
    expect(warn(delegate(`{ ${to} }`), ...root(`{ delegate: { name: part, namespace: team } }, { ${to} }`))).toEqual(
      [],
    );
  });
});

describe("a delegate", () => {
  test("that nobody delegates to, or somebody who does not see it", () => {
    expect(warn([], ...delegate(`{ ${to} }`))).toEqual([
      "spec: has no hosts, and no VirtualService delegates to it: nothing comes of its rules",
    ]);
    expect(
      warn(root("{ delegate: { name: part, namespace: team } }"), ...delegate(`{ ${to} }`, "exportTo: [shop],")),
    ).toEqual([
      "spec.exportTo: VirtualService default/root delegates to this one, and its namespace default does not see it: nothing comes of that",
    ]);
  });

  test("with a match that its root does not let through", () => {
    const there = root("{ match: [{ uri: { prefix: /a } }], delegate: { name: part, namespace: team } }");
    const written = delegate(`{ match: [{ uri: { prefix: /a/1 } }, { uri: { prefix: /b } }], ${to} }`);
    expect(warn(there, ...written)).toEqual([
      "spec.http[0].match[1]: http[0] of VirtualService default/root, which delegates to this one, does not let this through: the rule is left out there",
    ]);
  });

  test("with a destination that its root's clients don't have", () => {
    const there = root("{ delegate: { name: part, namespace: team } }");
    expect(warn(there, ...delegate("{ route: [{ destination: { host: nobody.test } }] }"))[0]).toMatch(
      /^spec\.http\[0\]\.route\[0\]\.destination\.host: no Service or ServiceEntry has the host nobody\.test/,
    );
  });

  test("is missed by its root when it goes, gets hosts or keeps to itself", () => {
    const there = root("{ delegate: { name: part, namespace: team } }");
    const [before] = delegate(`{ ${to} }`);
    const [withHosts] = delegate(`{ ${to} }`, "hosts: [a.test],");
    const [hidden] = delegate(`{ ${to} }`, 'exportTo: ["."],');
    if (!before || !withHosts || !hidden) throw new Error("no delegate");
    const key = keyOf(before);
    const context = { mesh: buildMesh([...base, ...there, before], 1), nowMs, gatewayProxies: undefined };
    const changed = (after?: typeof before) =>
      texts(warningsOf([after ? { type: "MODIFIED", key, before, after } : { type: "DELETED", key, before }], context));
    const missed = "VirtualService default/root needs what goes: spec.http[0].delegate";
    expect(changed()).toEqual([expect.stringContaining(`${missed}: there is no VirtualService team/part`)]);
    expect(changed(withHosts)).toContainEqual(expect.stringContaining(`${missed}: VirtualService team/part has hosts`));
    expect(changed(hidden)).toContainEqual(
      expect.stringContaining(`${missed}: VirtualService team/part is not exported`),
    );
  });
});
