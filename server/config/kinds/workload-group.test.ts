import { expect, test } from "vitest";
import { parseObject } from "./index.ts";

const errorsOf = (apiVersion: string, kind: string, spec: unknown): string[] => {
  const result = parseObject({ apiVersion, kind, metadata: { name: "reviews", namespace: "default" }, spec });
  if (result.ok) return [];
  expect(result.errors.filter(({ reason }) => reason === undefined)).toEqual([]);
  return result.errors.map(({ path, message }) => `${path}: ${message}`);
};
const group = (spec: unknown, version = "v1") => errorsOf(`networking.istio.io/${version}`, "WorkloadGroup", spec);
const proxy = (spec: unknown) => errorsOf("networking.istio.io/v1beta1", "ProxyConfig", spec);

const whole = {
  metadata: { labels: { app: "reviews" }, annotations: { "example.com/owner": "Team A" } },
  template: { ports: { http: 9080 }, serviceAccount: "reviews", locality: "eu/a", weight: 2, labels: { tier: "b" } },
  probe: {
    initialDelaySeconds: 5,
    timeoutSeconds: 3,
    periodSeconds: 4,
    successThreshold: 3,
    failureThreshold: 3,
    httpGet: {
      path: "/foo",
      host: "127.0.0.1",
      port: 3100,
      scheme: "HTTPS",
      httpHeaders: [{ name: "Lit", value: "x" }],
    },
  },
};

test.each<[string, unknown]>([
  ["one of Istio's page", whole],
  ["an empty template", { template: {} }],
  ["a connection", { template: {}, probe: { tcpSocket: { port: 1 } } }],
  ["a command", { template: {}, probe: { exec: { command: ["true"] } } }],
  ["gRPC", { template: {}, probe: { grpc: { port: 9, service: "a.B" } } }],
])("a group with %s is taken", (_, spec) => {
  for (const version of ["v1", "v1beta1", "v1alpha3"]) expect(group(spec, version)).toEqual([]);
});

test.each<[string, unknown, string[]]>([
  ["no template", {}, ["spec.template: is required"]],
  [
    "an address for all",
    { template: { address: "10.0.0.1" } },
    ["spec.template.address: is each workload's own: leave it out"],
  ],
  [
    "a probe of nothing",
    { template: {}, probe: { periodSeconds: 3 } },
    ["spec.probe: must have one of httpGet, tcpSocket, exec, grpc"],
  ],
  [
    "two probes",
    { template: {}, probe: { tcpSocket: { port: 1 }, grpc: { port: 2 } } },
    ["spec.probe: must have only one of httpGet, tcpSocket, exec, grpc; it has tcpSocket, grpc"],
  ],
  [
    "numbers out of range",
    { template: {}, probe: { periodSeconds: -1, httpGet: { port: 0 } } },
    ["spec.probe.httpGet.port: must be at least 1, not 0", "spec.probe.periodSeconds: must be at least 0, not -1"],
  ],
  [
    "a command of nothing",
    { template: {}, probe: { exec: { command: [] } } },
    ["spec.probe.exec.command: needs at least one entry"],
  ],
  [
    "a header of no such name",
    { template: {}, probe: { httpGet: { port: 1, httpHeaders: [{ name: "a b" }] } } },
    ['spec.probe.httpGet.httpHeaders[0].name: "a b" is not a valid header name'],
  ],
])("a group with %s is refused", (_, spec, errors) => {
  expect(group(spec).sort()).toEqual(errors);
});

test.each<[string, unknown]>([
  ["nothing", {}],
  [
    "everything",
    {
      selector: { matchLabels: { app: "a" } },
      concurrency: 0,
      environmentVariables: { A_B: "c" },
      image: { imageType: "debug" },
    },
  ],
  ["a null, as Go writes it", { concurrency: null }],
])("a ProxyConfig with %s is taken", (_, spec) => {
  expect(proxy(spec)).toEqual([]);
});

test.each<[string, unknown, string]>([
  ["fewer than no workers", { concurrency: -1 }, "spec.concurrency: must be at least 0, not -1"],
  [
    "a variable of no such name",
    { environmentVariables: { "A=B": "c" } },
    `spec.environmentVariables["A=B"]: must be the name of an environment variable: letters, digits and '_', not "A=B"`,
  ],
  [
    "a variable that makes another program of it",
    { environmentVariables: { LD_PRELOAD: "/tmp/x.so" } },
    "spec.environmentVariables.LD_PRELOAD: LD_PRELOAD decides what the proxy's process is, and can't be set here",
  ],
  ["a field of no such name", { concurency: 1 }, "spec.concurency: unknown field; did you mean concurrency?"],
])("a ProxyConfig with %s is refused", (_, spec, error) => {
  expect(proxy(spec)).toEqual([error]);
});

test("MeshConfig's defaultConfig has the same fields under its own names", () => {
  const of = (defaultConfig: unknown) =>
    parseObject({
      apiVersion: "limpid.dev/v1alpha1",
      kind: "MeshConfig",
      metadata: { name: "default" },
      spec: { defaultConfig },
    });
  expect(of({ concurrency: 2, proxyMetadata: { A: "b" }, image: { imageType: "debug" } }).ok).toBe(true);
  expect(of({ proxyMetadata: { NODE_OPTIONS: "-r ./x" } }).ok).toBe(false);
});
