import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { TrafficDirection } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { ListenerSchema } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { HttpConnectionManagerSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { Runtime } from "../sidecar/runtime.ts";
import { entrancesOf } from "./entrances.ts";
import type { Holdings } from "./holdings.ts";

const http = (routeConfigName: string) => ({
  name: "http",
  configType: {
    case: "typedConfig" as const,
    value: anyPack(
      HttpConnectionManagerSchema,
      create(HttpConnectionManagerSchema, { routeSpecifier: { case: "rds", value: { routeConfigName } } }),
    ),
  },
});
const listener = (address: string, port: number, route: string, { tls = false, inbound = false } = {}) =>
  create(ListenerSchema, {
    name: `${address}_${port}`,
    trafficDirection: inbound ? TrafficDirection.INBOUND : TrafficDirection.OUTBOUND,
    address: {
      address: { case: "socketAddress", value: { address, portSpecifier: { case: "portValue", value: port } } },
    },
    filterChains: [{ filters: [http(route)], ...(tls && { transportSocket: { name: "tls" } }) }],
  });
const holding = (...listeners: ReturnType<typeof listener>[]): Holdings => ({
  listeners,
  route: (name) =>
    create(RouteConfigurationSchema, {
      name,
      virtualHosts: [
        { name: "a", domains: ["bookinfo.local", "bookinfo.local:*"] },
        { name: "b", domains: ["*"] },
      ],
    }),
  virtualHosts: ({ virtualHosts }) => virtualHosts,
  runtime: new Runtime(),
  cluster: () => undefined,
  endpoints: () => undefined,
});
const proxy = { namespace: "default", name: "p", address: "fd00::7" };

it("of a gateway: every listener for HTTP, at the address that a client can reach", () => {
  const held = holding(listener("0.0.0.0", 8080, "http.80"), listener("127.0.0.1", 8443, "https.443", { tls: true }));
  expect(entrancesOf({ ...proxy, kind: "gateway" }, held)).toMatchObject([
    { kind: "gateway", origin: "http://[fd00::7]:8080", hosts: ["bookinfo.local"] },
    { kind: "gateway", origin: "https://127.0.0.1:8443", hosts: ["bookinfo.local"] },
  ]);
});

it("of a workload: the port by which it calls others, and not those in front of it", () => {
  const held = holding(
    listener("127.0.1.4", 9080, "inbound", { inbound: true }),
    listener("127.0.1.4", 15001, "http_proxy"),
    listener("127.0.1.4", 3306, "other"),
  );
  expect(entrancesOf({ ...proxy, kind: "sidecar" }, held)).toMatchObject([
    { kind: "workload", origin: "http://127.0.1.4:15001" },
  ]);
});
