import { z } from "zod";
import { told } from "../../contract/told.ts";
import { dnsLabelOrNone, labels, matchHeaderError, portOrNone, stringMatch } from "./fields.ts";
import { fqdnError, isDnsLabel } from "./names.ts";
import { text } from "./schema.ts";

/** `mesh`, `<namespace>/<name>`, or the name of a Gateway in the VirtualService's own namespace. */
export const gatewayName = () =>
  text((value) => {
    const parts = value.split("/");
    if (parts.length === 1) return fqdnError(value);
    return parts.length === 2 && parts.every(isDnsLabel)
      ? undefined
      : told("gateway-name", { forms: '"mesh", "<name>", "<namespace>/<name>"', value: JSON.stringify(value) });
  });

const headerMatches = () => z.record(text(matchHeaderError), stringMatch({ presence: true }));

/** All conditions must hold. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest */
export const httpMatchSchema = z.strictObject({
  name: z.string().optional().describe("Name of the match, for logs."),
  uri: stringMatch({ emptyPrefix: true, none: true }).optional().describe("The path, without the query."),
  scheme: stringMatch({ none: true }).optional(),
  method: stringMatch({ none: true }).optional(),
  authority: stringMatch({ none: true }).optional().describe("The Host header, or :authority."),
  headers: headerMatches().optional().describe("Header names in lower case; {} asks only that the header is there."),
  withoutHeaders: headerMatches().optional().describe("As headers, and must not match."),
  queryParams: z.record(z.string().min(1), stringMatch({ presence: true })).optional(),
  port: portOrNone().optional().describe("The port of the service that is called."),
  sourceLabels: labels().optional().describe("Labels that the calling workload must have."),
  sourceNamespace: dnsLabelOrNone().optional(),
  gateways: z.array(gatewayName()).optional(),
  ignoreUriCase: z.boolean().optional(),
  statPrefix: z.string().optional().describe("Proxies count its requests under this name, too."),
});
export type HTTPMatchRequest = z.output<typeof httpMatchSchema>;
