import { z } from "zod";
import { told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { labels, port } from "./fields.ts";
import { proxyTargets } from "./policy-target.ts";
import { regexError } from "./regex.ts";
import { type Report, rule, says, text } from "./schema.ts";

/** What each part of a proxy's configuration can have done to it; Istio skips what it doesn't know, so it is refused here. */
const operations = {
  LISTENER: ["ADD", "MERGE", "REMOVE"],
  LISTENER_FILTER: ["ADD", "INSERT_FIRST", "INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "REMOVE"],
  FILTER_CHAIN: ["ADD", "MERGE", "REMOVE"],
  NETWORK_FILTER: ["ADD", "INSERT_FIRST", "INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "MERGE", "REMOVE"],
  HTTP_FILTER: ["ADD", "INSERT_FIRST", "INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "MERGE", "REMOVE"],
  ROUTE_CONFIGURATION: ["MERGE"],
  VIRTUAL_HOST: ["ADD", "REPLACE", "MERGE", "REMOVE"],
  HTTP_ROUTE: ["ADD", "INSERT_FIRST", "INSERT_BEFORE", "INSERT_AFTER", "MERGE", "REMOVE"],
  CLUSTER: ["ADD", "MERGE", "REMOVE"],
  EXTENSION_CONFIG: ["ADD"],
} as const;
export type PatchedPart = keyof typeof operations;
const parts = Object.keys(operations) as [PatchedPart, ...PatchedPart[]];

/** Which field of `match` speaks of it. */
const matchedBy: Readonly<Record<PatchedPart, "listener" | "routeConfiguration" | "cluster" | undefined>> = {
  LISTENER: "listener",
  LISTENER_FILTER: "listener",
  FILTER_CHAIN: "listener",
  NETWORK_FILTER: "listener",
  HTTP_FILTER: "listener",
  ROUTE_CONFIGURATION: "routeConfiguration",
  VIRTUAL_HOST: "routeConfiguration",
  HTTP_ROUTE: "routeConfiguration",
  CLUSTER: "cluster",
  EXTENSION_CONFIG: undefined,
};

const named = z.strictObject({ name: z.string().min(1).max(512).optional() });
const noPortName = z.never({ error: says(told("no-effect-without", { what: "portNumber" })) }).optional();

const listenerMatchSchema = z.strictObject({
  name: z.string().min(1).max(512).optional().describe("Of the listener, as `limpid proxy-config listener` shows it."),
  portNumber: port().optional().describe("At which it listens."),
  portName: noPortName,
  listenerFilter: z.string().min(1).max(512).optional(),
  filterChain: z
    .strictObject({
      name: z.string().min(1).max(512).optional(),
      sni: z.string().min(1).max(253).optional(),
      transportProtocol: z.string().min(1).max(64).optional(),
      applicationProtocols: z.string().min(1).max(512).optional().describe("With commas between them; all of them."),
      destinationPort: port().optional(),
      filter: z
        .strictObject({
          name: z.string().min(1).max(512),
          subFilter: z.strictObject({ name: z.string().min(1).max(512) }).optional(),
        })
        .optional()
        .describe("A network filter, and within an HTTP connection manager a filter of requests."),
    })
    .optional(),
});

const routeConfigurationMatchSchema = z.strictObject({
  name: z.string().min(1).max(512).optional(),
  portNumber: port().optional(),
  portName: z.string().min(1).max(512).optional().describe("Of the Gateway's server."),
  gateway: z.string().min(1).max(512).optional().describe("`<namespace>/<name>`."),
  vhost: z
    .strictObject({
      name: z.string().min(1).max(512).optional(),
      domainName: z.string().min(1).max(512).optional(),
      route: named.extend({ action: z.enum(["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"]).optional() }).optional(),
    })
    .optional(),
});

const clusterMatchSchema = z.strictObject({
  name: z.string().min(1).max(1_024).optional(),
  service: z.string().min(1).max(253).optional().describe("A service's whole hostname."),
  subset: z.string().min(1).max(253).optional(),
  portNumber: port().optional(),
});

const matchSchema = z.strictObject({
  context: z.enum(["ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY"]).optional(),
  proxy: z
    .strictObject({
      proxyVersion: text(regexError).optional().describe("A regular expression (RE2) over ISTIO_VERSION of its node."),
      metadata: z.record(z.string().min(1).max(256), z.string().max(1_024)).optional(),
    })
    .optional(),
  listener: listenerMatchSchema.optional(),
  routeConfiguration: routeConfigurationMatchSchema.optional(),
  cluster: clusterMatchSchema.optional(),
});

const patchSchema = z.strictObject({
  operation: z.enum(["ADD", "MERGE", "REMOVE", "REPLACE", "INSERT_FIRST", "INSERT_BEFORE", "INSERT_AFTER"]),
  value: z.record(z.string(), z.unknown()).optional().describe("Envoy's own message, as JSON."),
  filterClass: z
    .enum(["UNSPECIFIED", "AUTHN", "AUTHZ", "STATS"])
    .optional()
    .describe(
      "Of a filter of requests that is added: behind those that authenticate, that authorize, or before the metrics.",
    ),
});

const configPatchSchema = rule(
  z.strictObject({
    applyTo: z.enum(parts),
    match: matchSchema.optional(),
    patch: patchSchema,
  }),
  ({ applyTo, match = {}, patch }, report) => {
    const known: readonly string[] = operations[applyTo];
    if (!known.includes(patch.operation)) {
      const value = `${patch.operation} (${applyTo})`;
      report(["patch", "operation"], told("one-of-not", { values: known.join(", "), value }));
    }
    if (patch.operation !== "REMOVE" && patch.value === undefined)
      report(["patch", "value"], told("required-for", { what: patch.operation }));
    if (patch.operation === "REMOVE" && patch.value !== undefined)
      report(["patch", "value"], told("no-effect-with", { what: "operation REMOVE" }));
    const { filterClass = "UNSPECIFIED" } = patch;
    if (filterClass !== "UNSPECIFIED" && (applyTo !== "HTTP_FILTER" || patch.operation !== "ADD"))
      report(["patch", "filterClass"], told("no-effect-without", { what: "applyTo: HTTP_FILTER, operation: ADD" }));
    checkMatch(applyTo, match, patch.operation, report);
  },
);

function checkMatch(
  applyTo: PatchedPart,
  match: z.output<typeof matchSchema>,
  operation: string,
  report: Report,
): void {
  for (const field of ["listener", "routeConfiguration", "cluster"] as const) {
    if (match[field] !== undefined && matchedBy[applyTo] !== field)
      report(["match", field], told("no-effect-with", { what: `applyTo: ${applyTo}` }));
  }
  if (operation !== "REPLACE" && operation !== "REMOVE") return;
  // Istio leaves such a patch out: what is to go has to be named.
  const { listener } = match;
  const missing =
    applyTo === "HTTP_FILTER" && listener?.filterChain?.filter?.subFilter === undefined
      ? ["match", "listener", "filterChain", "filter", "subFilter"]
      : applyTo === "NETWORK_FILTER" && listener?.filterChain?.filter === undefined
        ? ["match", "listener", "filterChain", "filter"]
        : applyTo === "LISTENER_FILTER" && listener?.listenerFilter === undefined
          ? ["match", "listener", "listenerFilter"]
          : undefined;
  if (missing) report(missing, told("required-for", { what: operation }));
}

/** https://istio.io/latest/docs/reference/config/networking/envoy-filter/ */
const envoyFilterSpecSchema = rule(
  z.strictObject({
    workloadSelector: z
      .strictObject({ labels: labels().optional() })
      .optional()
      .describe("Labels of the workloads; unset: all of the namespace, and in the root namespace all of the mesh."),
    targetRefs: proxyTargets,
    configPatches: z.array(configPatchSchema).min(1).max(1_000),
    priority: z
      .int()
      .min(-(2 ** 31))
      .max(2 ** 31 - 1)
      .optional()
      .describe("Lower first; default 0, then older first."),
  }),
  ({ workloadSelector, targetRefs = [] }, report) => {
    if (workloadSelector !== undefined && targetRefs.length > 0)
      report(["targetRefs"], told("attached-twice", { other: "workloadSelector" }));
  },
);
export type EnvoyFilterSpec = z.output<typeof envoyFilterSpecSchema>;

export const envoyFilter = defineKind({
  kind: "EnvoyFilter",
  group: "networking.istio.io",
  version: "v1alpha3",
  aliases: [],
  plural: "envoyfilters",
  singular: "envoyfilter",
  shortNames: [],
  categories: ["istio-io", "networking-istio-io"],
  spec: envoyFilterSpecSchema,
  columns: [
    {
      name: "Patches",
      type: "string",
      description: "What is changed",
      priority: 0,
      value: (object) =>
        [...new Set((object.spec as EnvoyFilterSpec).configPatches.map((it) => it.applyTo))].join(", "),
    },
  ],
});
