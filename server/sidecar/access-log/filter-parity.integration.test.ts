import { createRegistry, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AccessLogFilterSchema } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { ExpressionFilterSchema } from "../../gen/proto/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js";
import type { RequestRecord } from "../record.ts";
import { Runtime, runtimeValues } from "../runtime.ts";
import { staticCluster, toCluster } from "../test-plane.ts";
import { type Ask, BesideEnvoy, envoyMissing } from "../testing/beside-envoy.ts";
import { accessLogFilter } from "./filter.ts";

// The same requests through real Envoy and through our data path: each filter of an access log lets the same ones pass.

const registry = createRegistry(ExpressionFilterSchema);
const both = new BesideEnvoy();
const layer = { bounds: { status: 404 }, share: { half: 50, none: 0 } };

const status = (op: string, value: number, key = "none.such"): JsonObject => ({
  status_code_filter: { comparison: { op, value: { default_value: value, runtime_key: key } } },
});
const header = (matcher: JsonObject): JsonObject => ({ header_filter: { header: matcher } });
const sampled = (key: string, numerator: number, more: JsonObject = {}): JsonObject => ({
  runtime_filter: { runtime_key: key, percent_sampled: { numerator, denominator: "HUNDRED" }, ...more },
});
const cel = (expression: string): JsonObject => ({
  extension_filter: {
    name: "envoy.access_loggers.extension_filters.cel",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter",
      expression,
    },
  },
});
const filters: Record<string, JsonObject> = {
  "cel-code": cel("response.code >= 400"),
  "cel-header": cel("request.headers['x-a'] == 'yes' || request.url_path.startsWith('/direct')"),
  "cel-no-boolean": cel("response.code"),
  "cel-flags": cel("response.flags != 0"),
  "cel-cluster": cel("xds.cluster_name == 'up' && request.method == 'GET'"),
  equal: status("EQ", 200),
  above: status("GE", 500),
  below: status("LE", 204),
  keyed: status("GE", 500, "bounds.status"),
  slow: { duration_filter: { comparison: { op: "GE", value: { default_value: 80, runtime_key: "d" } } } },
  flagged: { response_flag_filter: {} },
  named: { response_flag_filter: { flags: ["NR", "UH"] } },
  header: header({ name: "x-a", string_match: { prefix: "ye" } }),
  path: header({ name: ":path", string_match: { contains: "direct" } }),
  absent: header({ name: "x-a", present_match: true, invert_match: true }),
  grpc: { grpc_status_filter: { statuses: ["NOT_FOUND", "UNAVAILABLE"] } },
  "grpc-but": { grpc_status_filter: { statuses: ["UNKNOWN"], exclude: true } },
  ended: { log_type_filter: { types: ["DownstreamEnd"] } },
  began: { log_type_filter: { types: ["DownstreamStart", "TcpConnectionEnd"] } },
  "not-ended": { log_type_filter: { types: ["DownstreamEnd"], exclude: true } },
  unchecked: { not_health_check_filter: {} },
  traceable: { traceable_filter: {} },
  all: sampled("a", 100),
  some: sampled("a", 30),
  half: sampled("share.half", 10),
  none: sampled("share.none", 100),
  alone: sampled("a", 100, { use_independent_randomness: true }),
  both: { and_filter: { filters: [status("GE", 400), header({ name: "x-a", present_match: true })] } },
  either: { or_filter: { filters: [status("EQ", 404), status("EQ", 200)] } },
};

beforeAll(async () => {
  if (envoyMissing) return;
  const up = await both.fixtures.http((request, response) => {
    if (request.url?.startsWith("/503")) response.statusCode = 503;
    if (request.url === "/204") response.statusCode = 204;
    if (request.url?.startsWith("/call")) response.setHeader("grpc-status", "5");
    if (request.url === "/slow") setTimeout(() => response.end("ok"), 120);
    else response.end();
  });
  const check = {
    name: "envoy.filters.http.health_check",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.health_check.v3.HealthCheck",
      pass_through_mode: false,
      headers: [{ name: ":path", string_match: { exact: "/check" } }],
    },
  };
  await both.start(
    {
      main: {
        clusters: [staticCluster("up", [up]), staticCluster("empty", [])],
        filters: [check],
        routes: [
          { match: { prefix: "/direct" }, direct_response: { status: 404 } },
          { match: { prefix: "/empty" }, route: { cluster: "empty" } },
          { match: { prefix: "/up" }, route: { cluster: "up", prefix_rewrite: "/" } },
          ...["/503", "/204", "/call", "/slow"].map((path) => ({ ...toCluster("up"), match: { prefix: path } })),
        ],
      },
    },
    { layered_runtime: { layers: [{ name: "static", static_layer: layer }] } },
    "%RESPONSE_CODE%",
    {},
    filters,
  );
}, 90_000);

afterAll(() => both.close());

const ids = Array.from({ length: 12 }, (_, i) => `${(0x1357_9bdf * (i + 1)) % 0x1_0000_0000}`);
const asks: Ask[] = [
  ...["/up", "/204", "/503", "/direct/x", "/empty", "/nowhere", "/call", "/slow", "/check"].map((path) => ({ path })),
  { path: "/up", headers: { "x-a": "yes" } },
  { path: "/direct", headers: { "x-a": "no" } },
  // By the beginning of its id a request is among those that are sampled, or isn't.
  ...ids.map((id) => ({
    path: "/up",
    headers: { "x-request-id": `${Number(id).toString(16).padStart(8, "0")}-0000-4000-8000-000000000000` },
  })),
];

describe.skipIf(envoyMissing)("filters of access logs, like Envoy", () => {
  it("let the same requests pass", async () => {
    const records: RequestRecord[] = [];
    for (const what of asks) records.push((await both.ask("main", what)).record);
    await both.quitEnvoy();
    const runtime = new Runtime();
    runtime.setLayer("static", runtimeValues(layer));
    const idOf = ({ requestHeaders }: RequestRecord) => requestHeaders[requestHeaders.indexOf("x-ask") + 1];
    for (const [name, json] of Object.entries(filters)) {
      const admit = accessLogFilter(fromJson(AccessLogFilterSchema, json, { registry }), {
        runtime,
        random: () => 0.5,
      });
      if (!admit.ok) throw new Error(`${name}: ${admit.errors.join("; ")}`);
      // How long a request takes is the machine's affair; only what was made slow is surely so.
      // An id that nobody gave is one on each side.
      const sure = records.filter(({ path, requestId }) => {
        if (name === "slow") return path === "/slow";
        return !["some", "half"].includes(name) || requestId.endsWith("-0000-4000-8000-000000000000");
      });
      const kept = new Set(both.envoyLog(name));
      const mine = sure.filter((record) => admit.value(record)).map(idOf);
      expect(mine, name).toEqual(sure.map(idOf).filter((id) => kept.has(id ?? "")));
    }
  }, 60_000);
});
