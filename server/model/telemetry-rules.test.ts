import { describe, expect, test } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { buildMesh } from "./mesh.ts";
import type { MeshConfigSpec, TelemetrySpec } from "./specs.ts";
import { telemetriesFor } from "./telemetries.ts";
import { accessLogRules, type Mode, metricRules, tracingRule } from "./telemetry-rules.ts";

let age = 0;
const telemetry = (name: string, namespace: string, spec: TelemetrySpec): ConfigObject => ({
  apiVersion: "telemetry.istio.io/v1",
  kind: "Telemetry",
  metadata: { name, namespace, creationTimestamp: new Date(1_700_000_000_000 + age++ * 1000).toISOString() },
  spec,
});
const meshConfig = (spec: MeshConfigSpec): ConfigObject => ({
  apiVersion: "limpid.dev/v1alpha1",
  kind: "MeshConfig",
  metadata: { name: "default", namespace: "" },
  spec,
});

const root = (spec: TelemetrySpec) => telemetry("root", "istio-system", spec);
const ofNamespace = (spec: TelemetrySpec) => telemetry("namespace", "shop", spec);
const ofWorkload = (spec: TelemetrySpec) =>
  telemetry("workload", "shop", { ...spec, selector: { matchLabels: { app: "cart" } } });

/** What counts for the workload `cart` of the namespace `shop`. */
function meant(...objects: ConfigObject[]) {
  const mesh = buildMesh(objects, 1);
  const cart = { namespace: "shop", labels: { app: "cart" }, isGateway: false, services: ["Service/shop/cart"] };
  const found = telemetriesFor(mesh.telemetries, "istio-system", cart);
  return {
    names: found.map(({ name }) => name),
    logs: (mode: Mode) =>
      accessLogRules(found, mesh.settings, mode)?.map(({ provider, filter }) =>
        filter ? `${provider} if ${filter}` : provider,
      ),
    tracing: (mode: Mode) => tracingRule(found, mesh.settings, mode),
    metrics: (mode: Mode) => metricRules(found, mesh.settings, mode, new Set(["prometheus", "mine"])),
  };
}

describe("which count", () => {
  test("the mesh's, the namespace's and the workload's, of each the oldest", () => {
    const { names } = meant(
      ofWorkload({}),
      telemetry("younger", "shop", { selector: { matchLabels: { app: "cart" } } }),
      telemetry("for others", "shop", { selector: { matchLabels: { app: "other" } } }),
      ofNamespace({}),
      telemetry("younger too", "shop", {}),
      root({}),
      telemetry("of the root's own workloads", "istio-system", { selector: { matchLabels: { app: "cart" } } }),
    );
    expect(names).toEqual(["root", "namespace", "workload"]);
  });

  test("one with targets is its workloads'", () => {
    const target = (name: string) => telemetry(name, "shop", { targetRefs: [{ kind: "Service", name }] });
    expect(meant(target("payment"), target("cart")).names).toEqual(["cart"]);
  });
});

describe("access logs", () => {
  test("nobody says anything", () => {
    expect(meant().logs("SERVER")).toBeUndefined();
    expect(meant(root({ tracing: [{}] })).logs("SERVER")).toBeUndefined();
  });

  test("the mesh's defaults, where nobody says anything else", () => {
    const mesh = meshConfig({ defaultProviders: { accessLogging: ["envoy"] } });
    expect(meant(mesh).logs("CLIENT")).toEqual(["envoy"]);
    expect(meant(mesh, ofNamespace({ accessLogging: [{ disabled: true }] })).logs("CLIENT")).toEqual([]);
  });

  test("a filter alone is for where logs go anyway, be it a file of the mesh", () => {
    const filter = { expression: "response.code >= 500" };
    const logs = meant(meshConfig({ accessLogFile: "/x" }), root({ accessLogging: [{ filter }] })).logs("SERVER");
    expect(logs).toEqual(["envoy if response.code >= 500"]);
    expect(meant(root({ accessLogging: [{ filter }] })).logs("SERVER")).toEqual([]);
  });

  test("a lower one that names providers replaces those above; one that names none keeps them", () => {
    const a = root({ accessLogging: [{ providers: [{ name: "A" }], filter: { expression: "x" } }] });
    expect(meant(a, ofWorkload({ accessLogging: [{ providers: [{ name: "b" }] }] })).logs("SERVER")).toEqual(["b"]);
    expect(meant(a, ofWorkload({ accessLogging: [{ disabled: false }] })).logs("SERVER")).toEqual(["a if x"]);
    expect(meant(a, ofWorkload({ accessLogging: [{ providers: [{ name: "a" }] }] })).logs("SERVER")).toEqual(["a"]);
  });

  test("of one mode only, and switched on again below", () => {
    const off = root({
      accessLogging: [{ providers: [{ name: "a" }] }, { match: { mode: "CLIENT" }, disabled: true }],
    });
    expect([meant(off).logs("CLIENT"), meant(off).logs("SERVER")]).toEqual([[], ["a"]]);
    expect(meant(off, ofNamespace({ accessLogging: [{ disabled: false }] })).logs("CLIENT")).toEqual(["a"]);
  });
});

describe("tracing", () => {
  test("each field is the lowest one's that has it; tags replace each other", () => {
    const literal = (value: string) => ({ literal: { value } });
    const { tracing } = meant(
      root({
        tracing: [{ providers: [{ name: "Zipkin" }], randomSamplingPercentage: 5, customTags: { a: literal("1") } }],
      }),
      ofNamespace({ tracing: [{ match: { mode: "CLIENT" }, customTags: { c: literal("3"), b: literal("2") } }] }),
      ofWorkload({ tracing: [{ enableIstioTags: false, randomSamplingPercentage: 0 }] }),
    );
    expect(tracing("SERVER")).toEqual({
      provider: "zipkin",
      disabled: false,
      sampling: 0,
      customTags: [["a", literal("1")]],
      istioTags: false,
      useRequestId: true,
    });
    expect(tracing("CLIENT")?.customTags.map(([name]) => name)).toEqual(["b", "c"]);
  });

  test("goes to the mesh's default, or its own collector", () => {
    const all = root({ tracing: [{ disableSpanReporting: true }] });
    expect(meant(all).tracing("CLIENT")).toMatchObject({ provider: "limpid", disabled: true, sampling: undefined });
    const mesh = meshConfig({ defaultProviders: { tracing: ["Tempo", "other"] } });
    expect(meant(mesh).tracing("CLIENT")).toMatchObject({ provider: "tempo", disabled: false });
    expect(meant().tracing("CLIENT")).toBeUndefined();
  });
});

describe("metrics", () => {
  test("later overrides add to earlier ones, of all metrics or of one", () => {
    const { metrics } = meant(
      root({ metrics: [{ overrides: [{ tagOverrides: { code: { operation: "REMOVE" } } }] }] }),
      ofNamespace({
        metrics: [
          {
            providers: [{ name: "mine" }],
            overrides: [
              { match: { metric: "REQUEST_COUNT", mode: "SERVER" }, tagOverrides: { host: { value: "request.host" } } },
              { match: { metric: "REQUEST_SIZE" }, disabled: true },
            ],
          },
        ],
      }),
      ofWorkload({ metrics: [{ overrides: [{ match: { metric: "REQUEST_SIZE" }, disabled: false }] }] }),
    );
    const of = (mode: Mode, name: string) => metrics(mode).find(({ metric }) => metric === name);
    expect(of("SERVER", "REQUEST_COUNT")).toEqual({
      metric: "REQUEST_COUNT",
      disabled: false,
      tags: [
        ["code", null],
        ["host", "request.host"],
      ],
    });
    expect(of("CLIENT", "REQUEST_COUNT")?.tags).toEqual([["code", null]]);
    expect(of("CLIENT", "REQUEST_SIZE")).toMatchObject({ disabled: false });
    expect(metrics("CLIENT")).toHaveLength(10);
  });

  test("for another provider than there is nothing is changed", () => {
    const stackdriver = [{ name: "stackdriver" }];
    expect(
      meant(root({ metrics: [{ providers: stackdriver, overrides: [{ disabled: true }] }] })).metrics("CLIENT"),
    ).toEqual([]);
  });
});
