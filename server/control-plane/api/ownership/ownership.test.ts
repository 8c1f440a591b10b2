import { describe, expect, test } from "vitest";
import { decodeManagedFields, encodeManagedFields, type Owner } from "./managed-fields.ts";
import { type ApplyOutcome, serverSideApply } from "./server-side-apply.ts";
import { trackUpdate } from "./track-update.ts";

const at = (manager: string, time = "2026-01-01T00:00:00Z") => ({ manager, apiVersion: "v1", time });

const object = (labels: Record<string, string>, http: unknown[] = [1]) => ({
  apiVersion: "v1",
  kind: "X",
  metadata: { name: "x", labels },
  spec: { http },
});

const fieldsOf = (owners: readonly Owner[], manager: string): string[] =>
  [...(owners.find((owner) => owner.manager === manager)?.fields ?? [])].sort();

function applied(outcome: ApplyOutcome) {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.conflicts));
  return outcome;
}

describe("server-side apply", () => {
  const first = applied(serverSideApply({}, [], object({ a: "1", b: "1" }), at("me"), false));

  test("owns what it names, and nothing of the identity", () => {
    expect(fieldsOf(first.owners, "me")).toEqual([
      '["metadata","labels","a"]',
      '["metadata","labels","b"]',
      '["spec","http"]',
    ]);
  });

  test("a field that is given up goes, and the map with it when it was the last", () => {
    const fewer = applied(serverSideApply(first.object, first.owners, object({ a: "1" }), at("me"), false));
    expect(fewer.object.metadata).toEqual({ name: "x", labels: { a: "1" } });
    const none = { ...object({}), metadata: { name: "x" } };
    const bare = applied(serverSideApply(fewer.object, fewer.owners, none, at("me"), false));
    expect(bare.object.metadata).toEqual({ name: "x" });
  });

  test("a map that is wanted empty gives up what was in it", () => {
    const bare = applied(serverSideApply(first.object, first.owners, object({}), at("me"), false));
    expect(bare.object.metadata).toEqual({ name: "x" });
  });

  test("a field that is given up stays while somebody else owns it", () => {
    const both = applied(serverSideApply(first.object, first.owners, object({ a: "1" }), at("you"), false));
    const less = applied(serverSideApply(both.object, both.owners, object({ b: "1" }), at("me"), false));
    expect(less.object.metadata).toEqual({ name: "x", labels: { a: "1", b: "1" } });
    expect(fieldsOf(less.owners, "you")).toContain('["metadata","labels","a"]');
  });

  test("changing somebody else's field is a conflict that names manager and field", () => {
    const outcome = serverSideApply(first.object, first.owners, object({ a: "2" }, [2]), at("you"), false);
    expect(outcome).toEqual({
      ok: false,
      conflicts: [
        { manager: "me", operation: "Apply", apiVersion: "v1", field: ".metadata.labels.a" },
        { manager: "me", operation: "Apply", apiVersion: "v1", field: ".spec.http" },
      ],
    });
  });

  test("force takes the field over; the loser no longer removes it", () => {
    const taken = applied(serverSideApply(first.object, first.owners, object({ a: "2" }), at("you"), true));
    expect(fieldsOf(taken.owners, "me")).not.toContain('["metadata","labels","a"]');
    const later = applied(serverSideApply(taken.object, taken.owners, object({ b: "1" }), at("me"), false));
    expect(later.object.metadata).toEqual({ name: "x", labels: { a: "2", b: "1" } });
  });

  test("a map over somebody's scalar is a conflict too", () => {
    const live = { spec: { port: 80 } };
    const owners = applied(serverSideApply({}, [], live, at("me"), false)).owners;
    const outcome = serverSideApply(live, owners, { spec: { port: { number: 80 } } }, at("you"), false);
    expect(outcome).toMatchObject({ ok: false, conflicts: [{ manager: "me", field: ".spec.port.number" }] });
  });

  test("the same again changes nothing, not even the time", () => {
    const again = applied(
      serverSideApply(first.object, first.owners, object({ a: "1", b: "1" }), at("me", "2027-01-01T00:00:00Z"), false),
    );
    expect(again.object).toEqual(first.object);
    expect(again.owners).toEqual(first.owners);
  });
});

describe("lists with keys", () => {
  const service = (...ports: object[]) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "x" },
    spec: { ports },
  });
  const http = { name: "http", port: 80, targetPort: 8080 };
  const grpc = { name: "grpc", port: 90, protocol: "TCP" };
  const none = { apiVersion: "v1", kind: "Service", metadata: { name: "x" }, spec: {} };
  const mine = applied(serverSideApply({}, [], service(http), at("me"), false));

  test("are owned entry by entry, in Kubernetes' form", () => {
    expect(encodeManagedFields(mine.owners)[0]?.fieldsV1).toEqual({
      "f:spec": {
        "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { "f:name": {}, "f:port": {}, "f:targetPort": {} } },
      },
    });
    expect(decodeManagedFields(encodeManagedFields(mine.owners))).toEqual(mine.owners);
  });

  test("merge: another manager's entry is no conflict, and stays when mine goes", () => {
    const both = applied(serverSideApply(mine.object, mine.owners, service(grpc), at("you"), false));
    expect(both.object.spec).toEqual({ ports: [http, grpc] });
    const yours = applied(serverSideApply(both.object, both.owners, none, at("me"), false));
    expect(yours.object.spec).toEqual({ ports: [grpc] });
    const empty = applied(serverSideApply(yours.object, yours.owners, none, at("you"), false));
    expect(empty.object).not.toHaveProperty("spec.ports");
  });

  test("changing a field of somebody else's entry is a conflict that names both", () => {
    const outcome = serverSideApply(
      mine.object,
      mine.owners,
      service({ port: 80, targetPort: 9090 }),
      at("you"),
      false,
    );
    expect(outcome).toMatchObject({
      ok: false,
      conflicts: [{ manager: "me", field: '.spec.ports[port=80,protocol="TCP"].targetPort' }],
    });
  });

  test("an entry that is given up stays, with its key, while somebody else sets a field of it", () => {
    const patched = trackUpdate(mine.owners, mine.object, service({ ...http, targetPort: 9090 }), at("dashboard"));
    const left = applied(serverSideApply(service({ ...http, targetPort: 9090 }), patched, none, at("me"), false));
    expect(left.object.spec).toEqual({ ports: [{ port: 80, targetPort: 9090 }] });
  });

  test("of a ServiceEntry are its ports, by name; a VirtualService has none", () => {
    const entry = (...ports: object[]) => ({ kind: "ServiceEntry", spec: { ports, hosts: ["a"] } });
    const first = applied(serverSideApply({}, [], entry({ name: "a", number: 1 }), at("me"), false));
    const second = applied(
      serverSideApply(first.object, first.owners, entry({ name: "b", number: 2 }), at("you"), false),
    );
    expect(second.object.spec).toEqual({
      hosts: ["a"],
      ports: [
        { name: "a", number: 1 },
        { name: "b", number: 2 },
      ],
    });
    const routes = (...http: object[]) => ({ kind: "VirtualService", spec: { http } });
    const one = applied(serverSideApply({}, [], routes({ name: "a" }), at("me"), false));
    expect(serverSideApply(one.object, one.owners, routes({ name: "b" }), at("you"), false)).toMatchObject({
      ok: false,
      conflicts: [{ field: ".spec.http" }],
    });
  });
});

describe("updates", () => {
  test("what changed is the writer's, and no longer anybody else's", () => {
    const owners = trackUpdate([], {}, object({ a: "1", b: "1" }), at("me"));
    const later = trackUpdate(owners, object({ a: "1", b: "1" }), object({ a: "2" }), at("you"));
    expect(fieldsOf(later, "you")).toEqual(['["metadata","labels","a"]']);
    expect(fieldsOf(later, "me")).toEqual(['["spec","http"]']);
  });

  test("apply after somebody's update is a conflict", () => {
    const owners = trackUpdate([], {}, object({ a: "1" }), at("dashboard"));
    const outcome = serverSideApply(object({ a: "1" }), owners, object({ a: "1" }, [2]), at("me"), false);
    expect(outcome).toMatchObject({
      ok: false,
      conflicts: [{ manager: "dashboard", operation: "Update", field: ".spec.http" }],
    });
  });
});

test("managed fields survive the wire, and bad ones are told apart", () => {
  const owners = trackUpdate([], {}, object({ "app.kubernetes.io/name": "1" }), at("me"));
  expect(decodeManagedFields(encodeManagedFields(owners))).toEqual(owners);
  expect(decodeManagedFields([{ manager: 1 }])).toBeUndefined();
  expect(decodeManagedFields([{}])).toEqual([]);
});

test("many updaters become one, so that the list is bounded", () => {
  let owners: Owner[] = [];
  let before: object = {};
  for (let index = 0; index < 30; index++) {
    const after = { ...before, [`field${index}`]: index };
    owners = trackUpdate(owners, before, after, at(`m${index}`, `2026-01-01T00:00:${String(index).padStart(2, "0")}Z`));
    before = after;
  }
  const entries = encodeManagedFields(owners);
  expect(entries).toHaveLength(10);
  expect(entries[0]).toMatchObject({ manager: "ancient-changes" });
  expect(decodeManagedFields(entries)?.flatMap((owner) => [...owner.fields])).toHaveLength(30);
});
