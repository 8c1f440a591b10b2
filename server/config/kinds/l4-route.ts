import { z } from "zod";
import { told } from "../../contract/told.ts";
import { destinationSchema } from "./destination.ts";
import { dnsLabelOrNone, labels, nonNegativeInt32, portOrNone } from "./fields.ts";
import { gatewayName } from "./http-match.ts";
import { HostSet, ipOrCidrError, sniHostError } from "./names.ts";
import { notYetUse, type Report, rule, text } from "./schema.ts";

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#RouteDestination */
const routeDestinationSchema = z.strictObject({
  destination: destinationSchema,
  weight: nonNegativeInt32()
    .optional()
    .describe("Share of the connections, relative to the sum of all weights of the rule."),
});
export type RouteDestination = z.output<typeof routeDestinationSchema>;

const routes = () =>
  rule(z.array(routeDestinationSchema).min(1), (destinations, report) => {
    // One destination gets everything, whatever its weight; several share by weight, and something has to be shared.
    if (destinations.length > 1 && destinations.every((destination) => (destination.weight ?? 0) === 0)) {
      report([], told("weights-zero", {}));
    }
  }).describe("Where the connections go, by weight.");

const commonMatch = () => ({
  destinationSubnets: z
    .array(text(ipOrCidrError))
    .optional()
    .describe("Addresses that the client connected to; with interception NONE that is its own proxy's."),
  port: portOrNone().optional().describe("The port of the service that is called."),
  sourceLabels: labels().optional().describe("Labels that the calling workload must have."),
  sourceNamespace: dnsLabelOrNone().optional(),
  gateways: z.array(gatewayName()).optional(),
});

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#L4MatchAttributes */
const l4MatchSchema = z.strictObject({
  ...commonMatch(),
  sourceSubnet: notYetUse("sourceLabels, sourceNamespace"),
});
export type L4MatchAttributes = z.output<typeof l4MatchSchema>;

export const tcpRouteSchema = z.strictObject({
  match: z.array(l4MatchSchema).optional().describe("Alternatives; none: every connection."),
  route: routes(),
});
export type TCPRoute = z.output<typeof tcpRouteSchema>;

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#TLSMatchAttributes */
const tlsMatchSchema = z.strictObject({
  sniHosts: z
    .array(text(sniHostError))
    .min(1)
    .describe("Server names that the client asks for; each must be one of the hosts, or narrower."),
  ...commonMatch(),
});

export const tlsRouteSchema = z.strictObject({
  match: z.array(tlsMatchSchema).min(1),
  route: routes(),
});
export type TLSRoute = z.output<typeof tlsRouteSchema>;

/** A rule can't catch server names that its VirtualService does not own. */
export function checkSniHosts(hosts: readonly string[], tls: readonly TLSRoute[], report: Report): void {
  const known = new HostSet(hosts);
  tls.forEach((route, at) => {
    (route.match ?? []).forEach((match, index) => {
      (match.sniHosts ?? []).forEach((sni, position) => {
        if (sniHostError(sni) !== undefined || known.find(sni) !== undefined) return;
        report(
          ["tls", at, "match", index, "sniHosts", position],
          told("sni-not-host", { sni, hosts: hosts.join(", ") }),
        );
      });
    });
  });
}
