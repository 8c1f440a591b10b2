import { z } from "zod";
import { defineKind } from "./define.ts";
import { labels, port } from "./fields.ts";
import { isDnsLabel, wildcardHostError } from "./names.ts";
import { protocolError } from "./protocol.ts";
import { notYet, type Report, rule, text } from "./schema.ts";

/** `<namespace>/<host>`: whose services, and which of their hosts. */
function egressHostError(value: string): string | undefined {
  const [namespace = "", host, ...more] = value.split("/");
  if (host === undefined || more.length > 0)
    return `must be <namespace>/<host>, such as "./*", not ${JSON.stringify(value)}`;
  if (!["*", ".", "~"].includes(namespace) && !isDnsLabel(namespace)) {
    return `must begin with a namespace, ".", "*" or "~", not ${JSON.stringify(namespace)}`;
  }
  return wildcardHostError(host);
}

/** Where the application listens: a port of 127.0.0.1, [::1], or of the workload's own address. */
const endpointError = (value: string): string | undefined =>
  /^(127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d{1,5}$/.test(value)
    ? undefined
    : `must be 127.0.0.1:<port>, [::1]:<port> or 0.0.0.0:<port>, not ${JSON.stringify(value)}`;

const sidecarPortSchema = z.strictObject({
  number: port(),
  protocol: text(protocolError),
  name: z.string().min(1),
  targetPort: z.never({ error: "has no effect on a Sidecar: leave it out" }).optional(),
});

const ingressSchema = z.strictObject({
  port: sidecarPortSchema,
  defaultEndpoint: text(endpointError)
    .optional()
    .describe("Where the application listens; unset: as its proxy was told."),
  bind: notYet("the proxy listens at its workload's address"),
  captureMode: notYet("nothing is intercepted"),
  tls: notYet("use PeerAuthentication"),
  connectionPool: notYet(""),
});

const egressSchema = z.strictObject({
  hosts: z
    .array(text(egressHostError))
    .min(1, "needs at least one host")
    .describe('Whose services the workload may call: "./*" for its own namespace\'s, "prod/*", "*/api.example.com".'),
  port: notYet("a call names its service, so that all ports are there"),
  bind: notYet("the proxy listens at its workload's address"),
  captureMode: notYet("nothing is intercepted"),
});

/** https://istio.io/latest/docs/reference/config/networking/sidecar/ */
const sidecarSpecSchema = rule(
  z.strictObject({
    workloadSelector: z
      .strictObject({ labels: labels().optional() })
      .optional()
      .describe("Labels of the workloads; unset: all of the namespace that no other Sidecar selects."),
    egress: z.array(egressSchema).min(1, "needs at least one entry, or leave it out").optional(),
    ingress: z.array(ingressSchema).min(1, "needs at least one entry, or leave it out").optional(),
    outboundTrafficPolicy: z
      .strictObject({
        mode: z
          .enum(["REGISTRY_ONLY", "ALLOW_ANY"])
          .optional()
          .describe(
            "REGISTRY_ONLY when unset: hosts that no service has are answered 502; ALLOW_ANY: they are looked up and called.",
          ),
        egressProxy: notYet(""),
      })
      .optional(),
    inboundConnectionPool: notYet(""),
  }),
  (spec, report: Report) => {
    const numbers = (spec.ingress ?? []).map((it) => it.port.number);
    numbers.forEach((number, index) => {
      if (numbers.indexOf(number) < index) report(["ingress", index, "port", "number"], `${number} is there twice`);
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
