import type { Any } from "@bufbuild/protobuf/wkt";
import { networkConnectionLimit } from "./connection-limit.ts";
import { networkExtAuthz } from "./ext-authz.ts";
import { networkLocalRateLimit } from "./local-rate-limit.ts";
import type { NetworkFilterFactory } from "./network-filter.ts";
import { networkRateLimit } from "./rate-limit.ts";
import { networkRbac } from "./rbac.ts";
import { sniForwardProxy } from "./sni-forward-proxy.ts";

/** Every network filter but those that end a chain: connection manager and TCP proxy. */
export const networkFilterFactories: readonly NetworkFilterFactory[] = [
  networkConnectionLimit,
  networkExtAuthz,
  networkLocalRateLimit,
  networkRateLimit,
  networkRbac,
  sniForwardProxy,
];

/** Throws an Error naming the type. */
export function networkFilterFactory({ typeUrl }: Any): NetworkFilterFactory {
  const name = typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
  const factory = networkFilterFactories.find(({ schema }) => schema.typeName === name);
  if (factory === undefined) throw new Error(`${name} is not supported`);
  return factory;
}
