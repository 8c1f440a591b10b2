import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { defineKind } from "./define.ts";
import { duration, port, reportDuplicates, tokenError } from "./fields.ts";
import { subdomainError } from "./metadata.ts";
import { fqdnError, isDnsLabel } from "./names.ts";
import { rule, text } from "./schema.ts";

/** `<hostname>` or `<namespace>/<hostname>` of a Service or ServiceEntry. */
function serviceError(value: string): Told | undefined {
  const slash = value.indexOf("/");
  if (slash >= 0 && !isDnsLabel(value.slice(0, slash)))
    return told("form", { forms: "<hostname>, <namespace>/<hostname>", value: JSON.stringify(value) });
  return fqdnError(value.slice(slash + 1));
}

/** `x`, `x*` or `*x`: a header's name or what it begins or ends with. */
const headerPattern = text((value) => {
  if (value === "*") return told("star-alone", {});
  if (value.slice(1, -1).includes("*")) return told("star-at-end", { value: JSON.stringify(value) });
  return tokenError(value);
});
const headerPatterns = () => z.array(headerPattern).max(64).optional();

const bodySchema = z.strictObject({
  maxRequestBytes: z
    .int()
    .min(1)
    .max(64 * 1024 * 1024)
    .optional()
    .describe("A request with more is answered 413."),
  allowPartialMessage: z.boolean().optional().describe("What goes beyond is not shown, instead of refused."),
  packAsBytes: z.boolean().optional().describe("For gRPC: as bytes, and not as text in UTF-8."),
});

const common = {
  service: text(serviceError).describe(
    "<hostname> of a Service or ServiceEntry, with its <namespace>/ where several have it.",
  ),
  port: port(),
  timeout: duration().optional().describe("600s when unset."),
  failOpen: z.boolean().optional().describe("Lets requests in when the provider can't be asked."),
  clearRouteCache: z.boolean().optional().describe("The route is chosen anew with the headers that the provider set."),
  statusOnError: text((value) =>
    /^[1-5]\d\d$/.test(value) ? undefined : told("status-text", { value: JSON.stringify(value) }),
  )
    .optional()
    .describe("For the client when the provider can't be asked; 403 when unset."),
  includeRequestBodyInCheck: bodySchema.optional(),
};

const httpSchema = z.strictObject({
  ...common,
  pathPrefix: text((value) => (value.startsWith("/") ? undefined : told("begins-with", { what: "/" })))
    .optional()
    .describe("Before the path that was asked for."),
  includeHeadersInCheck: headerPatterns().describe("Old name of includeRequestHeadersInCheck."),
  includeRequestHeadersInCheck: headerPatterns(),
  includeAdditionalHeadersInCheck: z.record(text(tokenError), z.string()).optional(),
  headersToUpstreamOnAllow: headerPatterns(),
  headersToDownstreamOnAllow: headerPatterns(),
  headersToDownstreamOnDeny: headerPatterns(),
});

const providerSchema = rule(
  z.strictObject({
    name: text((value) =>
      /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(value)
        ? undefined
        : told("label-name", { value: JSON.stringify(value) }),
    ),
    envoyExtAuthzHttp: httpSchema.optional(),
    envoyExtAuthzGrpc: z.strictObject(common).optional(),
  }),
  ({ envoyExtAuthzHttp, envoyExtAuthzGrpc }, report) => {
    if (envoyExtAuthzHttp && envoyExtAuthzGrpc)
      report(["envoyExtAuthzGrpc"], told("not-beside", { other: "envoyExtAuthzHttp" }));
    if (!envoyExtAuthzHttp && !envoyExtAuthzGrpc)
      report([], told("needs-one-of", { fields: "envoyExtAuthzHttp, envoyExtAuthzGrpc" }));
  },
);
/** Of SPIFFE ids; capital letters are no part of one. https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#21-trust-domain */
const trustDomain = text(subdomainError);

export type ExtensionProvider = z.output<typeof providerSchema>;

export const pathNormalizations = ["DEFAULT", "NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"] as const;

/** Of Istio's MeshConfig what proxies are made of here. https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig */
const meshConfigFields = z.strictObject({
  accessLogFile: z
    .string()
    .max(4096)
    .optional()
    .describe("Where proxies write their access logs themselves, such as /dev/stdout; empty: nowhere."),
  accessLogFormat: z
    .string()
    .max(65_536)
    .optional()
    .describe("With Envoy's command operators; with accessLogEncoding JSON an object in JSON. Empty: Istio's own."),
  accessLogEncoding: z.enum(["TEXT", "JSON"]).optional(),
  defaultConfig: z
    .strictObject({
      tracing: z
        .strictObject({
          sampling: z
            .number()
            .min(0)
            .max(100)
            .optional()
            .describe(
              "Percent of the requests without a trace that begin one; left out: 10, or 100 where the collector samples.",
            ),
        })
        .optional(),
    })
    .optional(),
  extensionProviders: rule(z.array(providerSchema).max(64), (providers, report) =>
    reportDuplicates(
      providers,
      ({ name }) => name,
      ({ name }, index, first) =>
        report([index, "name"], told("name-of-too", { name, other: `extensionProviders[${first}]` })),
    ),
  )
    .optional()
    .describe("Who may be asked whether a request is let in, by AuthorizationPolicies with action CUSTOM."),
  pathNormalization: z
    .strictObject({
      normalization: z
        .enum(pathNormalizations)
        .optional()
        .describe(
          "What is done to a path before anything looks at it. BASE (DEFAULT): RFC 3986; MERGE_SLASHES: and // is /; DECODE_AND_MERGE_SLASHES: and %2f and %5c are slashes.",
        ),
    })
    .optional(),
  trustDomain: trustDomain
    .optional()
    .describe("What the mesh is called already: LIMPID_TRUST_DOMAIN names it when it starts, and not this."),
  trustDomainAliases: rule(z.array(trustDomain).max(64), (aliases, report) =>
    reportDuplicates(
      aliases,
      (alias) => alias,
      (_alias, index) => report([index], told("twice", {})),
    ),
  )
    .optional()
    .describe(
      "Trust domains of certificates that are as good as the mesh's own: whoever has an id of one is whoever has the same of another, for clients, servers and AuthorizationPolicies.",
    ),
});

const meshConfigSpecSchema = rule(meshConfigFields, ({ accessLogFormat, accessLogEncoding }, report) => {
  const isObject = accessLogEncoding !== "JSON" || !accessLogFormat || isJsonObject(accessLogFormat);
  if (!isObject) report(["accessLogFormat"], told("json-format", {}));
});

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value);
  } catch {
    return false;
  }
}

export type MeshConfigSpec = z.output<typeof meshConfigSpecSchema>;

export const meshConfig = defineKind({
  kind: "MeshConfig",
  group: "limpid.dev",
  version: "v1alpha1",
  aliases: [],
  plural: "meshconfigs",
  singular: "meshconfig",
  shortNames: ["mc"],
  categories: ["limpid"],
  namespaced: false,
  nameError: (name) => (name === "default" ? undefined : told("mesh-name", {})),
  spec: meshConfigSpecSchema,
  defaultSpec: {},
  columns: [
    {
      name: "Providers",
      type: "string",
      description: "Who may be asked whether a request is let in",
      priority: 0,
      value: (object) => ((object.spec as MeshConfigSpec).extensionProviders ?? []).map(({ name }) => name).join(","),
    },
  ],
});
