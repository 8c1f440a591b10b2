import { expect, test } from "vitest";
import { parseObject } from "./index.ts";

const errorsOf = (apiVersion: string, kind: string, spec: unknown): string[] => {
  const namespace = kind === "Telemetry" ? { namespace: "default" } : {};
  const result = parseObject({ apiVersion, kind, metadata: { name: "default", ...namespace }, spec });
  if (result.ok) return [];
  expect(result.errors.filter(({ reason }) => reason === undefined)).toEqual([]);
  return result.errors.map(({ path, message }) => `${path}: ${message}`);
};
const telemetry = (spec: unknown, version = "v1") => errorsOf(`telemetry.istio.io/${version}`, "Telemetry", spec);
const meshConfig = (spec: unknown) => errorsOf("limpid.dev/v1alpha1", "MeshConfig", spec);

test.each<[string, unknown]>([
  ["nothing", {}],
  ["the mesh's sampling", { tracing: [{ randomSamplingPercentage: 0.01 }] }],
  [
    "wrappers that are null, as Go writes them",
    { tracing: [{ disableSpanReporting: null }], accessLogging: [{ disabled: null }] },
  ],
  [
    "tags",
    {
      tracing: [
        {
          customTags: {
            a: { literal: { value: "x" } },
            b: { environment: { name: "REGION", defaultValue: "eu" } },
            c: { header: { name: "x-user" } },
            d: { formatter: { value: "%PROTOCOL%" } },
          },
        },
      ],
    },
  ],
  [
    "metrics",
    {
      metrics: [
        {
          providers: [{ name: "prometheus" }],
          reportingInterval: "5s",
          overrides: [
            {
              match: { metric: "REQUEST_COUNT", mode: "CLIENT" },
              tagOverrides: { request_host: { value: "request.host" } },
            },
            { tagOverrides: { response_code: { operation: "REMOVE" } } },
            { match: { customMetric: "mine" }, disabled: true },
          ],
        },
      ],
    },
  ],
  ["a filter", { accessLogging: [{ filter: { expression: "response.code >= 400 || connection.mtls" } }] }],
  ["a gateway", { targetRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" }] }],
])("%s is taken", (_, spec) => {
  expect(telemetry(spec)).toEqual([]);
  expect(telemetry(spec, "v1alpha1")).toEqual([]);
});

test.each<[string, unknown, string]>([
  ["a field of no such name", { acessLogging: [] }, "spec.acessLogging: unknown field; did you mean accessLogging?"],
  [
    "a share above all",
    { tracing: [{ randomSamplingPercentage: 101 }] },
    "spec.tracing[0].randomSamplingPercentage: must be at most 100, not 101",
  ],
  [
    "a provider without a name",
    { accessLogging: [{ providers: [{ name: "" }] }] },
    "spec.accessLogging[0].providers[0].name: must not be empty",
  ],
  [
    "a tag of nothing",
    { tracing: [{ customTags: { a: {} } }] },
    "spec.tracing[0].customTags.a: must have one of literal, environment, header, formatter",
  ],
  [
    "a tag of two kinds",
    { tracing: [{ customTags: { a: { literal: { value: "x" }, header: { name: "x" } } } }] },
    "spec.tracing[0].customTags.a: must have only one of literal, environment, header, formatter; it has literal, header",
  ],
  [
    "an empty literal",
    { tracing: [{ customTags: { a: { literal: { value: "" } } } }] },
    "spec.tracing[0].customTags.a.literal.value: must not be empty",
  ],
  [
    "no expression",
    { accessLogging: [{ filter: { expression: " " } }] },
    "spec.accessLogging[0].filter.expression: must not be empty",
  ],
  [
    "UPSERT without a value",
    { metrics: [{ overrides: [{ tagOverrides: { a: {} } }] }] },
    "spec.metrics[0].overrides[0].tagOverrides.a.value: is required for operation UPSERT",
  ],
  [
    "REMOVE with a value",
    { metrics: [{ overrides: [{ tagOverrides: { a: { operation: "REMOVE", value: "'x'" } } }] }] },
    "spec.metrics[0].overrides[0].tagOverrides.a.value: has no effect with operation REMOVE",
  ],
  [
    "a label that Prometheus can't have",
    { metrics: [{ overrides: [{ tagOverrides: { "a-b": { value: "'x'" } } }] }] },
    `spec.metrics[0].overrides[0].tagOverrides["a-b"]: must be letters, digits and '_', not beginning with a digit, not "a-b"`,
  ],
  [
    "a metric of no such name",
    { metrics: [{ overrides: [{ match: { metric: "REQUESTS_COUNT" } }] }] },
    "did you mean REQUEST_COUNT?",
  ],
  [
    "two ways of saying which",
    { metrics: [{ overrides: [{ match: { metric: "ALL_METRICS", customMetric: "x" } }] }] },
    "spec.metrics[0].overrides[0].match.customMetric: must not be beside metric",
  ],
  [
    "a selector beside targets",
    { selector: { matchLabels: { a: "b" } }, targetRefs: [{ kind: "Service", name: "x" }] },
    "spec.targetRefs: must not be beside selector: only one of them says what it is for",
  ],
  [
    "what is not there yet",
    { tracing: [{ disableContextPropagation: true }] },
    "spec.tracing[0].disableContextPropagation: not supported yet by Limpid",
  ],
])("%s is refused", (_, spec, error) => {
  expect(telemetry(spec).join("\n")).toContain(error);
});

test.each(["response.code >=", "a b", "(".repeat(3_000), "x".repeat(5_000)])("%.20s is no expression", (expression) => {
  expect(telemetry({ accessLogging: [{ filter: { expression } }] })).toEqual([
    expect.stringMatching(/^spec\.accessLogging\[0]\.filter\.expression: must (?:be an expression|have at most)/),
  ]);
});

const at = { service: "otel.observability.svc.cluster.local", port: 4317 };
test.each<[string, unknown, string[]]>([
  [
    "every kind of provider",
    {
      extensionProviders: [
        { name: "file", envoyFileAccessLog: { path: "/tmp/x", logFormat: { labels: { a: "%PROTOCOL%" } } } },
        { name: "als", envoyHttpAls: { ...at, logName: "x", additionalRequestHeadersToLog: ["x-a"] } },
        { name: "tcp", envoyTcpAls: at },
        { name: "logs", envoyOtelAls: { ...at, logFormat: { text: "%PROTOCOL%" } } },
        { name: "otel", opentelemetry: { ...at, http: { path: "/v1/traces", headers: [{ name: "a", value: "b" }] } } },
        { name: "zipkin", zipkin: { ...at, port: 9411, enable64bitTraceId: true } },
        { name: "mine", prometheus: {} },
      ],
      defaultProviders: { accessLogging: ["File", "envoy"], tracing: ["otel"], metrics: ["mine", "prometheus"] },
    },
    [],
  ],
  [
    "one that is not there",
    { extensionProviders: [{ name: "x", datadog: at }] },
    ["spec.extensionProviders[0].datadog: not supported yet by Limpid; use opentelemetry"],
  ],
  [
    "two in one",
    { extensionProviders: [{ name: "x", zipkin: at, opentelemetry: at }] },
    ["spec.extensionProviders[0].opentelemetry: must not be beside zipkin"],
  ],
  [
    "names that differ by case only",
    {
      extensionProviders: [
        { name: "a", prometheus: {} },
        { name: "A", prometheus: {} },
      ],
    },
    ["spec.extensionProviders[1].name: A is the name of extensionProviders[0] too"],
  ],
  [
    "a default that is for something else",
    { extensionProviders: [{ name: "otel", opentelemetry: at }], defaultProviders: { accessLogging: ["otel"] } },
    ['spec.defaultProviders.accessLogging[0]: must be a provider for accessLogging (there are envoy), not "otel"'],
  ],
  [
    "a format of two kinds",
    { extensionProviders: [{ name: "f", envoyFileAccessLog: { logFormat: { text: "a", labels: {} } } }] },
    ["spec.extensionProviders[0].envoyFileAccessLog.logFormat.labels: must not be beside text"],
  ],
])("of MeshConfig: %s", (_, spec, errors) => {
  const found = meshConfig(spec);
  for (const error of errors) expect(found).toContain(error);
  if (errors.length === 0) expect(found).toEqual([]);
});
