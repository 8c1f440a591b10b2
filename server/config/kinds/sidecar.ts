import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { labels, port } from "./fields.ts";
import { isDnsLabel, wildcardHostError } from "./names.ts";
import { protocolError } from "./protocol.ts";
import { notYet, notYetUse, type Report, rule, says, text } from "./schema.ts";

/** `<namespace>/<host>`: whose services, and which of their hosts. */
function egressHostError(value: string): Told | undefined {
  const [namespace = "", host, ...more] = value.split("/");
  if (host === undefined || more.length > 0)
    return told("form", { forms: '<namespace>/<host>, "./*"', value: JSON.stringify(value) });
  if (!["*", ".", "~"].includes(namespace) && !isDnsLabel(namespace)) {
    return told("namespace-or", { forms: '".", "*", "~"', value: JSON.stringify(namespace) });
  }
  return wildcardHostError(host);
}

/** Where the application listens: a port of 127.0.0.1, [::1], or of the workload's own address. */
const endpointError = (value: string): Told | undefined =>
  /^(127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d{1,5}$/.test(value)
    ? undefined
    : told("form", { forms: "127.0.0.1:<port>, [::1]:<port>, 0.0.0.0:<port>", value: JSON.stringify(value) });

const sidecarPortSchema = z.strictObject({
  number: port(),
  protocol: text(protocolError),
  name: z.string().min(1),
  targetPort: z.never({ error: says(told("no-effect-on", { kind: "Sidecar" })) }).optional(),
});

const ingressSchema = z.strictObject({
  port: sidecarPortSchema,
  defaultEndpoint: text(endpointError)
    .optional()
    .describe("Where the application listens; unset: as its proxy was told."),
  bind: notYet(told("not-yet-bind", {})),
  captureMode: notYet(told("not-yet-capture", {})),
  tls: notYetUse("PeerAuthentication"),
  connectionPool: notYet(),
});

const egressSchema = z.strictObject({
  hosts: z
    .array(text(egressHostError))
    .min(1)
    .describe('Whose services the workload may call: "./*" for its own namespace\'s, "prod/*", "*/api.example.com".'),
  port: notYet(told("not-yet-egress-port", {})),
  bind: notYet(told("not-yet-bind", {})),
  captureMode: notYet(told("not-yet-capture", {})),
});

/** https://istio.io/latest/docs/reference/config/networking/sidecar/ */
const sidecarSpecSchema = rule(
  z.strictObject({
    workloadSelector: z
      .strictObject({ labels: labels().optional() })
      .optional()
      .describe("Labels of the workloads; unset: all of the namespace that no other Sidecar selects."),
    egress: z.array(egressSchema).min(1).optional(),
    ingress: z.array(ingressSchema).min(1).optional(),
    outboundTrafficPolicy: z
      .strictObject({
        mode: z
          .enum(["REGISTRY_ONLY", "ALLOW_ANY"])
          .optional()
          .describe(
            "REGISTRY_ONLY when unset: hosts that no service has are answered 502; ALLOW_ANY: they are looked up and called.",
          ),
        egressProxy: notYet(),
      })
      .optional(),
    inboundConnectionPool: notYet(),
  }),
  (spec, report: Report) => {
    const numbers = (spec.ingress ?? []).map((it) => it.port.number);
    numbers.forEach((number, index) => {
      if (numbers.indexOf(number) < index)
        report(["ingress", index, "port", "number"], told("twice-named", { name: number }));
    });
  },
);
export type SidecarSpec = z.output<typeof sidecarSpecSchema>;

export const sidecar = defineKind({
  kind: "Sidecar",
  group: "networking.istio.io",
  version: "v1",
  aliases: ["v1beta1", "v1alpha3"],
  plural: "sidecars",
  singular: "sidecar",
  shortNames: [],
  categories: ["istio-io", "networking-istio-io"],
  spec: sidecarSpecSchema,
  columns: [
    {
      name: "Egress",
      type: "string",
      description: "Whose services its workloads may call",
      priority: 0,
      value: (object) => ((object.spec as SidecarSpec).egress ?? []).flatMap(({ hosts }) => hosts).join(","),
    },
  ],
});
