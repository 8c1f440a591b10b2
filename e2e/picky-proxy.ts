import { create } from "@bufbuild/protobuf";
import { NodeSchema } from "../server/gen/proto/envoy/config/core/v3/base_pb.js";
import { systemClock } from "../server/lib/clock.ts";
import { silentLogger } from "../server/lib/logger.ts";
import { type AdsClient, createAdsClient } from "../server/xds/client/ads-client.ts";
import type { ResourceHandlers } from "../server/xds/client/delta-state.ts";
import { TypeUrl } from "../server/xds/types.ts";

/** A proxy of no use but one: it refuses every virtual host that holds `text`, as Envoy does with a regular expression it won't take. */
export function startPickyProxy(xdsPort: number, name: string, text: string): AdsClient {
  const accept = { apply: () => new Map<string, string>() };
  const handlers: ResourceHandlers = {
    [TypeUrl.listener]: accept,
    [TypeUrl.cluster]: accept,
    [TypeUrl.route]: accept,
    [TypeUrl.virtualHost]: {
      apply: ({ added }) =>
        new Map(
          added
            .filter(({ value }) => Buffer.from(value).includes(text))
            .map((resource) => [resource.name, `regex '${text}' is larger than this proxy takes`]),
        ),
    },
  };
  const client = createAdsClient({
    target: `127.0.0.1:${xdsPort}`,
    node: create(NodeSchema, {
      id: `sidecar~127.0.1.99~${name}.default~default.svc.cluster.local`,
      userAgentName: "picky",
      metadata: { INTERCEPTION_MODE: "NONE", NAMESPACE: "default", NAME: name, LABELS: { app: name, version: "v1" } },
    }),
    clock: systemClock,
    logger: silentLogger,
    handlers,
  });
  for (const typeUrl of [TypeUrl.listener, TypeUrl.cluster, TypeUrl.virtualHost]) client.subscribe(typeUrl, "*");
  client.subscribe(TypeUrl.route, ["http_proxy"]);
  client.start();
  return client;
}
