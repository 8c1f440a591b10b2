import { describe, expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { buildMesh } from "./mesh.ts";
import { rulesOf } from "./rules-of.ts";

const reviews = { hostname: "reviews.default.svc.cluster.local", namespace: "default" };
const object = (kind: string, key: string, day: number, spec: Record<string, unknown>): ConfigObject => {
  const [namespace = "", name = ""] = key.split("/");
  const creationTimestamp = `2026-01-0${day}T00:00:00Z`;
  return { apiVersion: "networking.istio.io/v1", kind, metadata: { namespace, name, creationTimestamp }, spec };
};
const routes = (key: string, day: number, spec: Record<string, unknown> = {}) =>
  object("VirtualService", key, day, { hosts: [reviews.hostname], http: [{}], ...spec });
const rule = (key: string, day: number, spec: Record<string, unknown> = {}) =>
  object("DestinationRule", key, day, { host: reviews.hostname, ...spec });

const inForce = (objects: ConfigObject[], viewer?: string) => {
  const found = rulesOf(buildMesh(objects, 1), reviews, viewer);
  const keyOf = (it: ConfigObject | undefined) => it && `${it.metadata.namespace}/${it.metadata.name}`;
  return [keyOf(found.virtualService), keyOf(found.destinationRule)];
};

describe("the rules in force", () => {
  it("are the oldest VirtualService that the client sees, of whatever namespace", () => {
    expect(inForce([routes("default/young", 2), routes("platform/old", 1)])[0]).toBe("platform/old");
    expect(inForce([routes("default/young", 2), routes("platform/old", 1, { exportTo: ["."] })])[0]).toBe(
      "default/young",
    );
  });

  it("are the nearest VirtualService before the oldest: private, then exported by name, then everyone's", () => {
    const all = [
      routes("platform/everyones", 1),
      routes("platform/named", 2, { exportTo: ["default"] }),
      routes("default/private", 3, { exportTo: ["."] }),
    ];
    expect(inForce(all)[0]).toBe("default/private");
    expect(inForce(all.slice(0, 2))[0]).toBe("platform/named");
    expect(inForce(all, "elsewhere")[0]).toBe("platform/everyones");
  });

  it("are a wildcard's when nothing names the host, and never a gateway's alone", () => {
    const wide = routes("default/wide", 1, { hosts: ["*.local"] });
    const narrow = routes("default/narrow", 2, { hosts: ["*.default.svc.cluster.local"] });
    expect(inForce([wide, narrow])[0]).toBe("default/narrow");
    expect(inForce([wide, routes("default/exact", 3)])[0]).toBe("default/exact");
    expect(inForce([routes("default/entrance", 1, { gateways: ["edge"] })])[0]).toBeUndefined();
  });

  it("are those of HTTP before those of TCP alone", () => {
    expect(inForce([routes("default/tcp", 1, { http: [], tcp: [{ route: [] }] }), routes("default/http", 2)])[0]).toBe(
      "default/http",
    );
  });

  it("are the DestinationRule of the client's namespace, then the service's, then the root's", () => {
    const all = [rule("istio-system/root", 1), rule("default/own", 2), rule("client/its", 3)];
    expect(inForce(all, "client")[1]).toBe("client/its");
    expect(inForce(all, "other")[1]).toBe("default/own");
    expect(inForce(all.slice(0, 1), "other")[1]).toBe("istio-system/root");
  });
});
