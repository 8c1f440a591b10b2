import { expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { buildMesh } from "./mesh.ts";
import { meshOf } from "./mesh-of.ts";

const entry = (name: string, version: string, host = name): ConfigObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { name, namespace: "default", resourceVersion: version, uid: name },
  spec: { hosts: [`${host}.shop.test`], ports: [{ number: 80, name: "http", protocol: "HTTP" }] },
});
const route = (version: string, timeout: string): ConfigObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "a", namespace: "default", resourceVersion: version, uid: "route" },
  spec: { hosts: ["a.shop.test"], http: [{ timeout, route: [{ destination: { host: "a.shop.test" } }] }] },
});

const now = buildMesh([entry("a", "1"), entry("b", "2"), route("3", "1s")], 3);

it("is the very same mesh where the objects are, whoever read them", () => {
  expect(meshOf(now, [entry("b", "2"), entry("a", "1"), route("3", "1s")], 3)).toBe(now);
});

it("shares with it all that a change does not concern", () => {
  const then = meshOf(now, [entry("a", "1"), entry("b", "2"), route("2", "2s")], 2);
  expect(then.revision).toBe(2);
  expect(then.services).toBe(now.services);
  expect(then.objects.get("VirtualService")?.get("default/a")?.spec).toMatchObject({ http: [{ timeout: "2s" }] });
});

it("is as if it had been made of nothing else, with what came, changed and went", () => {
  const objects = [entry("a", "4", "other"), entry("c", "5")];
  const then = meshOf(now, objects, 5);
  expect([...then.services.keys()]).toEqual([...buildMesh(objects, 5).services.keys()]);
  expect(then.objects.get("VirtualService")?.size).toBe(0);
});

it("takes objects that were never stored for other ones each time", () => {
  const { resourceVersion: _, ...metadata } = entry("a", "1").metadata;
  const draft = { ...entry("a", "1"), metadata };
  const mesh = buildMesh([draft], 1);
  expect(meshOf(mesh, [{ ...draft, spec: { hosts: ["x.test"] } }], 1).services).not.toBe(mesh.services);
});
