import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, it } from "vitest";
import { staticCluster, toCluster } from "../test-plane.ts";
import { everyHost, get, match, RawParity } from "../testing/raw-parity.ts";
import { envoyMissing } from "../testing/real-envoy.ts";

// CORS and faults, by the same bytes to real Envoy and to our data path.

const parity = new RawParity();

const filter = (name: string, type: string): JsonObject => ({
  name: `envoy.filters.http.${name}`,
  typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.http.${type}` },
});

const cors = (path: string, policy: JsonObject): JsonObject => ({
  ...toCluster("up"),
  ...match(path),
  typed_per_filter_config: {
    "envoy.filters.http.cors": {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
      allow_origin_string_match: [{ exact: "http://good.test" }],
      allow_methods: "GET",
      allow_headers: "x-a",
      expose_headers: "x-b",
      allow_credentials: true,
      ...policy,
    },
  },
});

beforeAll(async () => {
  if (envoyMissing) return;
  const routes: JsonObject[] = [
    cors("/cors", { forward_not_matching_preflights: false }),
    cors("/cors-forward", {}),
    cors("/cors-star", { allow_origin_string_match: [{ exact: "*" }], allow_methods: "*", allow_headers: "*" }),
    {
      ...toCluster("up"),
      ...match("/abort"),
      typed_per_filter_config: {
        "envoy.filters.http.fault": {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
          abort: { http_status: 555, percentage: { numerator: 100 } },
        },
      },
    },
    toCluster("up"),
  ];
  await parity.start({
    clusters: [staticCluster("up", [await parity.upstream()])],
    filters: [filter("cors", "cors.v3.Cors"), filter("fault", "fault.v3.HTTPFault")],
    hosts: [everyHost(routes)],
  });
});
afterAll(() => parity.close());

describe.skipIf(envoyMissing)("CORS and faults, like Envoy", () => {
  it.each<[string, string]>([
    ["fault", get("/abort")],
    ...["/cors", "/cors-forward", "/cors-star"].flatMap((path) =>
      ["http://good.test", "http://bad.test"].flatMap((origin): [string, string][] => [
        [`${path} from ${origin}`, get(path, `Origin: ${origin}\r\n`)],
        [
          `${path} preflight from ${origin}`,
          get(
            path,
            `Origin: ${origin}\r\nAccess-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-y\r\n`,
          ).replace("GET", "OPTIONS"),
        ],
      ]),
    ),
  ])("%s", (_, text) => parity.compare(text));

  it.each<[string, string, string]>([["fault", get("/abort"), "555 FI fault_filter_abort"]])(
    "log: %s",
    (_, text, expected) => parity.compareLog(text, expected),
  );
});
