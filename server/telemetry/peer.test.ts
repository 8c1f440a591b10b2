import { describe, expect, it } from "vitest";
import { parsePeer } from "../wire/peer.ts";
import { readNode } from "./peer.ts";

describe("parsePeer", () => {
  it("reads workload, namespace, service and revision", () => {
    expect(parsePeer("reviews-v1;default;reviews;v1;limpid")).toEqual({
      workload: "reviews-v1",
      namespace: "default",
      app: "reviews",
      version: "v1",
    });
  });

  it("fills in what is left out as Istio does", () => {
    expect(parsePeer("sleep;default;;;")).toMatchObject({ app: "sleep", version: "latest" });
  });

  it.each([undefined, "", ";;;", ";default;;v1;"])("has no peer for %j", (text) => {
    expect(parsePeer(text)).toBeUndefined();
  });

  it("bounds and cleans what others sent", () => {
    const peer = parsePeer(`${"x".repeat(1000)};de\nfault;a\u0000pp;v1;c`);
    expect(peer?.workload).toHaveLength(253);
    expect(peer).toMatchObject({ namespace: "default", app: "app" });
    // SQLite gives back no half of a character, so that its edge would be looked for in vain, and nothing be written any more.
    expect(parsePeer(`w;default;${"a".repeat(252)}😀`)?.app).toBe(`${"a".repeat(252)}\ufffd`);
  });
});

describe("readNode", () => {
  it("prefers the canonical labels, then app and version", () => {
    const labels = {
      app: "a",
      version: "1",
      "service.istio.io/canonical-name": "canon",
      "service.istio.io/canonical-revision": "rev",
    };
    const node = { id: "sidecar~1.2.3.4~w.ns~ns.svc.cluster.local", cluster: "c.ns" };
    expect(readNode({ ...node, metadata: { LABELS: labels } }).self).toMatchObject({ app: "canon", version: "rev" });
    expect(readNode({ ...node, metadata: { LABELS: { app: "a", version: "1" } } }).self).toMatchObject({
      app: "a",
      version: "1",
    });
  });

  it("makes do with the node's id and cluster", () => {
    expect(
      readNode({ id: "router~1.2.3.4~gw-7.istio-system~istio-system.svc.cluster.local", cluster: "gw.istio-system" }),
    ).toEqual({
      id: "router~1.2.3.4~gw-7.istio-system~istio-system.svc.cluster.local",
      domain: "istio-system.svc.cluster.local",
      type: "router",
      ip: "1.2.3.4",
      serviceAccount: "",
      self: { workload: "gw-7", namespace: "istio-system", app: "gw", version: "latest" },
    });
  });

  it("still names a node of another convention", () => {
    expect(readNode({ id: "edge-1", cluster: "" }).self).toMatchObject({ workload: "edge-1", app: "edge-1" });
  });
});
