import { create } from "@bufbuild/protobuf";
import {
  AggregatedConfigSourceSchema,
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import { memo } from "../lib/memo.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { zero } from "./duration.ts";

export interface ConfigWay {
  /** Equal for equal sources. */
  readonly key: string;
  readonly source: ConfigSource;
  /** Where the proxy's own certificate and the mesh's authorities come from, by name: from the same place, or files of its own. */
  secret(name: string): ConfigSource;
  /** For certificates that people name: one that does not come must not keep everything else from being served. */
  readonly credentials: ConfigSource;
}

const way = (key: string, source: ConfigSource): ConfigWay => {
  const { initialFetchTimeout: _, ...credentials } = source;
  return { key, source, secret: () => source, credentials: create(ConfigSourceSchema, credentials) };
};

/** The stream that everything comes on. Without a fetch timeout, warming waits for the resource rather than going on with none. */
const aggregated: ConfigWay = way(
  "",
  create(ConfigSourceSchema, {
    configSourceSpecifier: { case: "ads", value: create(AggregatedConfigSourceSchema) },
    initialFetchTimeout: zero,
    resourceApiVersion: ApiVersion.V3,
  }),
);

/**
 * How a proxy gets what its resources refer to: one object for all that get it in the same way. A client with a stream for each type has no
 * ADS, and Envoy does not take `self` for anything; so it is told the static cluster by which it reaches us.
 */
export function configWay(
  proxy: Pick<MeshProxy, "xdsCluster" | "delta"> & { secretsFolder?: string | undefined },
): ConfigWay {
  const way = streamWay(proxy);
  const { secretsFolder: folder } = proxy;
  if (folder === undefined) return way;
  return memo(way, `secrets ${folder}`, [], () => {
    const sources = new Map<string, ConfigSource>();
    return {
      ...way,
      key: `${way.key} ${folder}`,
      secret(name) {
        const known = sources.get(name) ?? fileSource(`${folder}/${name}.json`);
        sources.set(name, known);
        return known;
      },
    };
  });
}

/** A file of one secret, which the proxy watches. https://www.envoyproxy.io/docs/envoy/latest/configuration/security/secret#path-config */
const fileSource = (path: string): ConfigSource =>
  create(ConfigSourceSchema, {
    configSourceSpecifier: { case: "pathConfigSource", value: { path } },
    resourceApiVersion: ApiVersion.V3,
  });

function streamWay({ xdsCluster, delta }: Pick<MeshProxy, "xdsCluster" | "delta">): ConfigWay {
  if (xdsCluster === undefined) return aggregated;
  const key = `${delta ? "delta" : "sotw"} ${xdsCluster}`;
  return memo(aggregated, key, [], () =>
    way(
      key,
      create(ConfigSourceSchema, {
        configSourceSpecifier: {
          case: "apiConfigSource",
          value: {
            apiType: delta ? ApiConfigSource_ApiType.DELTA_GRPC : ApiConfigSource_ApiType.GRPC,
            transportApiVersion: ApiVersion.V3,
            setNodeOnFirstMessageOnly: true,
            grpcServices: [{ targetSpecifier: { case: "envoyGrpc", value: { clusterName: xdsCluster } } }],
          },
        },
        initialFetchTimeout: zero,
        resourceApiVersion: ApiVersion.V3,
      }),
    ),
  );
}

/** Only on the aggregated stream do virtual hosts come one by one. */
export const takesVirtualHosts = ({ delta, xdsCluster }: Pick<MeshProxy, "xdsCluster" | "delta">): boolean =>
  delta && xdsCluster === undefined;
