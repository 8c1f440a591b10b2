import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { rule, text } from "./schema.ts";
import { workloadSelectorSchema } from "./workload-selector.ts";

const mutualTlsSchema = z.strictObject({
  mode: z
    .enum(["UNSET", "DISABLE", "PERMISSIVE", "STRICT"])
    .optional()
    .describe(
      "STRICT: mutual TLS only; PERMISSIVE: plain text too; DISABLE: no mutual TLS; UNSET: as the namespace or the mesh has it, and in the end PERMISSIVE.",
    ),
});

const portText = text((port) =>
  /^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535
    ? undefined
    : told("port-text", { value: JSON.stringify(port) }),
);

/** https://istio.io/latest/docs/reference/config/security/peer_authentication/ */
const peerAuthenticationSpecSchema = rule(
  z.strictObject({
    selector: workloadSelectorSchema.optional().describe("Labels of the workloads; unset: all of the namespace."),
    mtls: mutualTlsSchema.optional(),
    portLevelMtls: z.record(portText, mutualTlsSchema).optional().describe("By the workload's own port."),
  }),
  (spec, report) => {
    const selects = Object.keys(spec.selector?.matchLabels ?? {}).length > 0;
    if (spec.portLevelMtls !== undefined && !selects) report(["portLevelMtls"], told("needs-selector", {}));
  },
);
export type PeerAuthenticationSpec = z.output<typeof peerAuthenticationSpecSchema>;

export const peerAuthentication = defineKind({
  kind: "PeerAuthentication",
  group: "security.istio.io",
  version: "v1",
  aliases: ["v1beta1"],
  plural: "peerauthentications",
  singular: "peerauthentication",
  shortNames: ["pa"],
  categories: ["istio-io", "security-istio-io"],
  spec: peerAuthenticationSpecSchema,
  defaultSpec: {},
  columns: [
    {
      name: "Mode",
      type: "string",
      description: "Whether callers must come by mutual TLS",
      priority: 0,
      value: (object) => (object.spec as PeerAuthenticationSpec).mtls?.mode ?? "",
    },
  ],
});
