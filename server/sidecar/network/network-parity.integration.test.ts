import type { JsonObject } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { Authorization, CheckResponseSchema } from "../../gen/proto/envoy/service/auth/v3/external_auth_pb.js";
import {
  RateLimitResponse_Code as Code,
  RateLimitResponseSchema,
  RateLimitService,
} from "../../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";
import { addService } from "../../lib/grpc.ts";
import { eventually, Fixtures, staticCluster, toCluster } from "../test-plane.ts";
import { envoyMissing } from "../testing/beside-envoy.ts";
import { Twins } from "../testing/twins.ts";

// The same connections to real Envoy and to our listener: who is let in, and what is counted, agree.

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const filter = (proto: string, config: JsonObject): JsonObject => ({
  name: proto,
  typed_config: { "@type": `type.googleapis.com/envoy.extensions.filters.network.${proto}`, ...config },
});
const service: JsonObject = {
  grpc_service: { envoy_grpc: { cluster_name: "asked" }, timeout: "5s" },
  transport_api_version: "V3",
};

/** Says no to every third connection, over either protocol. */
async function start(networkFilter: JsonObject): Promise<Twins> {
  const up = await fixtures.http((_, response) => void response.end("in"));
  let asked = 0;
  const no = () => asked++ % 3 === 2;
  const server = new Server();
  addService(server, Authorization, {
    check: (_, callback) => callback(null, create(CheckResponseSchema, { status: { code: no() ? 7 : 0 } })),
  });
  addService(server, RateLimitService, {
    shouldRateLimit: (_, callback) =>
      callback(null, create(RateLimitResponseSchema, { overallCode: no() ? Code.OVER_LIMIT : Code.OK })),
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  fixtures.onClose(() => server.forceShutdown());
  const http2 = {
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
  };
  const clusters = [staticCluster("up", [up]), staticCluster("asked", [port], http2)];
  const twins = await Twins.start(fixtures, { clusters, routes: [toCluster("up")], networkFilters: [networkFilter] });
  asked = 0;
  return twins;
}

/** Opens connections one after another and leaves them open. @returns which were served */
async function served(port: number, count: number): Promise<boolean[]> {
  const seen: boolean[] = [];
  for (let i = 0; i < count; i++) {
    const client = await fixtures.client(port);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await eventually(() => client.ended || client.received.includes("in"));
    seen.push(client.received.includes("in"));
  }
  return seen;
}

describe.skipIf(envoyMissing)("connections, as Envoy lets them in", () => {
  it.each<[string, JsonObject, string[]]>([
    [
      "connection limit",
      filter("connection_limit.v3.ConnectionLimit", { stat_prefix: "c", max_connections: 2 }),
      ["connection_limit.c.limited_connections"],
    ],
    [
      "connection limit with a delay",
      filter("connection_limit.v3.ConnectionLimit", { stat_prefix: "c", max_connections: 2, delay: "0.05s" }),
      ["connection_limit.c.limited_connections"],
    ],
    [
      "local rate limit",
      filter("local_ratelimit.v3.LocalRateLimit", {
        stat_prefix: "l",
        token_bucket: { max_tokens: 4, fill_interval: "600s" },
      }),
      ["local_rate_limit.l.rate_limited"],
    ],
    [
      "rate limit",
      filter("ratelimit.v3.RateLimit", {
        stat_prefix: "r",
        domain: "d",
        timeout: "5s",
        descriptors: [{ entries: [{ key: "a", value: "b" }] }],
        rate_limit_service: service,
      }),
      ["total", "ok", "over_limit", "cx_closed", "error"].map((name) => `ratelimit.r.${name}`),
    ],
    [
      "external authorization",
      filter("ext_authz.v3.ExtAuthz", { stat_prefix: "tcp.", ...service }),
      ["total", "ok", "denied", "cx_closed", "error"].map((name) => `ext_authz.tcp..${name}`),
    ],
  ])("%s", async (_, networkFilter, counters) => {
    const twins = await start(networkFilter);
    const { ports } = twins;
    const mine = await served(ports.ours, 6);
    const theirs = await served(ports.envoys, 6);
    expect(mine).toEqual(theirs);
    expect(new Set(mine).size).toBe(2);
    for (const name of counters) {
      const { ours, envoys } = await twins.counters(name);
      expect([name, ours]).toEqual([name, envoys]);
    }
  });
});
