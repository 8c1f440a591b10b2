import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { ListenerFilter as ListenerFilterProto } from "../../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { HttpInspectorSchema } from "../../gen/proto/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb.js";
import { ProxyProtocolSchema } from "../../gen/proto/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol_pb.js";
import { TlsInspectorSchema } from "../../gen/proto/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb.js";
import { at, each } from "../config/problems.ts";
import { DiscoveredFilter, type DiscoveredPlace, type Extensions } from "./discovered-filter.ts";
import { compileProxyProtocol, type ProxyProtocolOptions } from "./proxy-protocol.ts";

/** What one of them is for. A connection's protocol is found out without being told to. */
type ListenerFilter =
  | { readonly kind: "proxy_protocol"; readonly options: ProxyProtocolOptions }
  | { readonly kind: "tls_inspector" }
  | { readonly kind: "http_inspector" };

/** Holds one that comes by discovery, or one that is always there. */
interface Place {
  readonly current: ListenerFilter | undefined;
  /** Whether it is, or may become, one that reads TLS hellos. */
  readonly mayInspect: boolean;
}

/** What is read off a connection before its filter chain is chosen. */
export class ListenerFilters {
  /** Those that come by discovery. */
  readonly discovered: readonly DiscoveredPlace[];
  private readonly places: readonly Place[];

  /** Throws an Error naming the fields. @param known what discovery has sent so far */
  constructor(filters: readonly ListenerFilterProto[], known: Extensions) {
    const discovered: DiscoveredPlace[] = [];
    this.places = each("listener_filters", filters, ({ name, configType }): Place => {
      if (configType.case === "typedConfig") {
        const current = at("typed_config", () => compileListenerFilter(configType.value));
        return { current, mayInspect: current.kind === "tls_inspector" };
      }
      if (configType.case === undefined) throw new Error("typed_config: required");
      const { value } = configType;
      const place = at("config_discovery", () => new DiscoveredFilter(name, value, known, compileListenerFilter));
      discovered.push(place);
      const mayInspect = value.typeUrls.some((url) => url.endsWith(`/${TlsInspectorSchema.typeName}`));
      return {
        get current() {
          return place.current;
        },
        mayInspect,
      };
    });
    this.discovered = discovered;
  }

  /** Whether one isn't there: who connects can't be let in, as nobody knows what it would have found. */
  get incomplete(): boolean {
    return this.places.some(({ current }) => current === undefined);
  }

  /** Undefined: nobody in front of the clients speaks for them. */
  get proxyProtocol(): ProxyProtocolOptions | undefined {
    for (const { current } of this.places) if (current?.kind === "proxy_protocol") return current.options;
    return undefined;
  }

  get inspects(): boolean {
    return this.places.some(({ current }) => current?.kind === "tls_inspector");
  }

  get mayInspect(): boolean {
    return this.places.some(({ mayInspect }) => mayInspect);
  }
}

function compileListenerFilter(config: Any): ListenerFilter {
  const proxyProtocol = anyUnpack(config, ProxyProtocolSchema);
  if (proxyProtocol !== undefined) return { kind: "proxy_protocol", options: compileProxyProtocol(proxyProtocol) };
  if (anyUnpack(config, TlsInspectorSchema) !== undefined) return { kind: "tls_inspector" };
  if (anyUnpack(config, HttpInspectorSchema) !== undefined) return { kind: "http_inspector" };
  throw new Error(`${config.typeUrl.slice(config.typeUrl.lastIndexOf("/") + 1)} is not supported`);
}
