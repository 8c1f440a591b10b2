import { z } from "zod";
import { ServiceLink } from "./graph.ts";
import { RouteRule } from "./traffic.ts";

/** A certificate that a server of a Gateway shows; times are Unix milliseconds. */
export const ServerCertificate = z.object({
  /** `<namespace>/<name>` of the Secret; or the file, where it is one on the gateway's machine. */
  from: z.string(),
  /** False: there is no such Secret, and nobody is served. Of a file nobody here knows. */
  found: z.boolean(),
  subject: z.string().nullable(),
  issuer: z.string().nullable(),
  names: z.array(z.string()),
  notBeforeMs: z.number().nullable(),
  notAfterMs: z.number().nullable(),
});
export type ServerCertificate = z.infer<typeof ServerCertificate>;

export const GatewayServerView = z.object({
  /** Index into `spec.servers`. */
  index: z.number().int(),
  port: z.number(),
  protocol: z.string(),
  /** As the Gateway has them, `<namespace>/<host>` where a namespace is said. */
  hosts: z.array(z.string()),
  /** Null: plain text. */
  tls: z.object({ mode: z.string(), httpsRedirect: z.boolean() }).nullable(),
  certificates: z.array(ServerCertificate),
  /** VirtualServices that have a host of it, `<namespace>/<name>`; without one clients get 404. */
  routedBy: z.array(z.string()),
});
export type GatewayServerView = z.infer<typeof GatewayServerView>;

export const GatewayRoute = z.object({
  virtualService: z.object({ namespace: z.string(), name: z.string() }),
  hosts: z.array(z.string()),
  kind: z.enum(["http", "tcp", "tls"]),
  /** Of TCP and TLS rules the matches say ports and server names. */
  rule: RouteRule,
  /** The registry's services, one for each of the rule's destinations; null where there is none. */
  services: z.array(ServiceLink.nullable()),
});
export type GatewayRoute = z.infer<typeof GatewayRoute>;

/** `GET /limpid/v1/gateways`, `GET /api/gateways` */
export const GatewayView = z.object({
  namespace: z.string(),
  name: z.string(),
  selector: z.record(z.string(), z.string()),
  /** Connected gateway proxies that it selects, by what telemetry calls them; null: nobody knows. */
  proxies: z.array(z.object({ namespace: z.string(), app: z.string() })).nullable(),
  servers: z.array(GatewayServerView),
  routes: z.array(GatewayRoute),
});
export type GatewayView = z.infer<typeof GatewayView>;
export const GatewayList = z.object({ gateways: z.array(GatewayView) });
export type GatewayList = z.infer<typeof GatewayList>;
