import { isTlsProtocol } from "../config/kinds/protocol.ts";
import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { resolveHost } from "./hostname.ts";
import { type Labels, matchesLabels } from "./labels.ts";
import { olderFirst } from "./service.ts";
import type { GatewaySpec } from "./specs.ts";

export interface Gateway {
  /** `<namespace>/<name>`, as VirtualServices refer to it. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
  readonly selector: Labels;
  readonly servers: readonly GatewayServer[];
}

export interface GatewayServer {
  readonly port: number;
  readonly protocol: string;
  /** Where to listen; unset: at the proxy's own address. */
  readonly bind: string | undefined;
  /** Which VirtualServices may attach: those whose namespace and hosts are let in. */
  readonly hosts: readonly { readonly namespace: string; readonly host: string }[];
  /** The port's own name, by which the routes of a server that ends TLS are told from others'. */
  readonly portName: string;
  readonly tls: GatewayTls | undefined;
}

export interface GatewayTls {
  readonly httpsRedirect: boolean;
  /** Undefined: plain text, of which only redirects are asked. */
  readonly mode: ServerTlsMode | undefined;
  readonly settings: ServerTLSSettings;
}

export type ServerTLSSettings = NonNullable<GatewaySpec["servers"][number]["tls"]>;
export type ServerTlsMode = NonNullable<ServerTLSSettings["mode"]>;

/** Whether TLS ends at the gateway. */
export const endsTls = ({ tls }: GatewayServer): boolean =>
  tls?.mode !== undefined && tls.mode !== "PASSTHROUGH" && tls.mode !== "AUTO_PASSTHROUGH";

/** Oldest first. */
export const indexGateways = (objects: Iterable<ConfigObject>, domain: string): readonly Gateway[] =>
  [...objects].sort(olderFirst).map((object) => resolve(object, domain));

/** A selector picks proxies of any namespace; an empty one picks every gateway proxy. */
export const gatewaysOf = (gateways: readonly Gateway[], labels: Labels): readonly Gateway[] =>
  gateways.filter((gateway) => matchesLabels(gateway.selector, labels));

function resolve(object: ConfigObject, domain: string): Gateway {
  return memo(object, "gateway", [domain], () => {
    const spec = object.spec as GatewaySpec;
    const { name, namespace } = object.metadata;
    return {
      key: `${namespace}/${name}`,
      namespace,
      name,
      selector: spec.selector ?? {},
      servers: (spec.servers ?? []).map((server) => ({
        port: server.port.number,
        protocol: server.port.protocol,
        bind: server.bind && server.bind !== "0.0.0.0" ? server.bind : undefined,
        hosts: server.hosts.map((host) => serverHost(host, namespace, domain)),
        portName: server.port.name,
        tls: server.tls && {
          httpsRedirect: server.tls.httpsRedirect ?? false,
          mode: isTlsProtocol(server.port.protocol) ? (server.tls.mode ?? "PASSTHROUGH") : undefined,
          settings: server.tls,
        },
      })),
    };
  });
}

/** `[namespace/]host`; the namespace is `*` (any), `.` (the gateway's own) or a name. https://istio.io/latest/docs/reference/config/networking/gateway/#Server */
function serverHost(text: string, namespace: string, domain: string): { namespace: string; host: string } {
  const slash = text.indexOf("/");
  const from = slash < 0 ? "*" : text.slice(0, slash);
  const host = resolveHost(slash < 0 ? text : text.slice(slash + 1), namespace, domain);
  return { namespace: from === "." ? namespace : from, host };
}
