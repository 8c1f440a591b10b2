import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { exportTo } from "./fields.ts";
import { gatewayName } from "./http-match.ts";
import { httpRouteSchema } from "./http-route.ts";
import { checkSniHosts, tcpRouteSchema, tlsRouteSchema } from "./l4-route.ts";
import { HostSet, isIpAddress, sniHostError, wildcardHostError } from "./names.ts";
import { type Report, rule, text } from "./schema.ts";

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/ */
const virtualServiceSpecSchema = rule(
  z.strictObject({
    hosts: rule(z.array(text(sniHostError)), (hosts, report) => {
      const known = new HostSet(hosts);
      hosts.forEach((host, index) => {
        const same = known.find(host, index);
        if (same !== undefined)
          report([index], told("host-covered", { host, other: `hosts[${same}]`, by: String(hosts[same]) }));
      });
    })
      .optional()
      .describe("The hosts that clients call; none: its rules are for those that delegate to it."),
    gateways: z
      .array(gatewayName())
      .optional()
      .describe('Gateways that take the rules; "mesh" stands for all sidecars and is the default.'),
    exportTo: exportTo().optional(),
    http: z.array(httpRouteSchema).min(1).optional().describe("Rules in order; the first that matches counts."),
    tls: z
      .array(tlsRouteSchema)
      .min(1)
      .optional()
      .describe("Rules for TLS that is passed through, by server name: for HTTPS and TLS ports."),
    tcp: z
      .array(tcpRouteSchema)
      .min(1)
      .optional()
      .describe("Rules for ports that are neither HTTP nor TLS; the first that matches counts."),
  }),
  (spec, report) => {
    const { http, tls, tcp } = spec;
    if (http === undefined && tls === undefined && tcp === undefined)
      report([], told("needs-any-of", { fields: "http, tls, tcp" }));
    if ((spec.hosts ?? []).length === 0) {
      checkDelegate(spec, report);
      return;
    }
    checkSniHosts(spec.hosts ?? [], tls ?? [], report);
    const forMesh = spec.gateways === undefined || spec.gateways.length === 0 || spec.gateways.includes("mesh");
    const onlyMesh = forMesh && (spec.gateways ?? []).every((name) => name === "mesh");
    if (onlyMesh) {
      for (const [index, host] of (spec.hosts ?? []).entries()) {
        const error = isIpAddress(host) || !host.includes("_") ? undefined : wildcardHostError(host);
        if (error !== undefined) report(["hosts", index], error);
      }
    }
    const star = (spec.hosts ?? []).indexOf("*");
    if (onlyMesh && star >= 0) report(["hosts", star], told("star-needs-gateway", {}));
  },
);
/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#Delegate */
function checkDelegate(spec: Pick<VirtualServiceSpec, "http" | "gateways" | "tls" | "tcp">, report: Report): void {
  for (const field of ["gateways", "tls", "tcp"] as const) {
    if ((spec[field] ?? []).length > 0) report([field], told("needs-hosts", {}));
  }
  for (const [index, { delegate }] of (spec.http ?? []).entries()) {
    if (delegate !== undefined) report(["http", index, "delegate"], told("delegate-of-delegate", {}));
  }
}

export type VirtualServiceSpec = z.output<typeof virtualServiceSpecSchema>;

export const virtualService = defineKind({
  kind: "VirtualService",
  group: "networking.istio.io",
  version: "v1",
  aliases: ["v1beta1", "v1alpha3"],
  plural: "virtualservices",
  singular: "virtualservice",
  shortNames: ["vs"],
  categories: ["istio-io", "networking-istio-io"],
  spec: virtualServiceSpecSchema,
  columns: [
    {
      name: "Gateways",
      type: "string",
      description: "The gateways and sidecars that take the rules",
      priority: 0,
      value: (object) => list((object.spec as VirtualServiceSpec).gateways),
    },
    {
      name: "Hosts",
      type: "string",
      description: "The hosts that clients call",
      priority: 0,
      value: (object) => list((object.spec as VirtualServiceSpec).hosts),
    },
    {
      name: "Split",
      type: "string",
      description: "Weights of the rule that has no match",
      priority: 1,
      value: (object) => split(object.spec as VirtualServiceSpec),
    },
  ],
});

/** As `kubectl` prints a JSON array. */
export const list = (values: readonly string[] | undefined): string =>
  values === undefined ? "" : JSON.stringify(values);

function split(spec: VirtualServiceSpec): string {
  const rules = spec.http ?? spec.tcp ?? spec.tls;
  const rule = rules?.find((route) => route.match === undefined || route.match.length === 0) ?? rules?.at(-1);
  const routes = rule?.route ?? [];
  const only = routes.length === 1 ? 100 : 0;
  return routes
    .map((route) => `${route.destination.subset ?? route.destination.host}=${route.weight ?? only}`)
    .join(",");
}
