import { z } from "zod";
import { told } from "../../contract/told.ts";
import { dnsLabelOrNone, port, wildcardHost } from "./fields.ts";
import { rule } from "./schema.ts";

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#Destination */
export const destinationSchema = z.strictObject({
  host: rule(wildcardHost(), (host, report) => {
    if (host === "*") report([], told("one-service", {}));
  }).describe("A service: short name, or fully qualified."),
  subset: dnsLabelOrNone().optional().describe("A subset of the service's DestinationRule."),
  port: z.strictObject({ number: port() }).optional(),
});
export type Destination = z.output<typeof destinationSchema>;
