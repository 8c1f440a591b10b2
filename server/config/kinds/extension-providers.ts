import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { duration, port, reportDuplicates, tokenError } from "./fields.ts";
import { fqdnError, isDnsLabel } from "./names.ts";
import { notYet, notYetUse, rule, text } from "./schema.ts";

// Whom MeshConfig knows outside of the mesh's own parts. https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ExtensionProvider

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
const headerNames = () => z.array(text(tokenError)).max(64).optional();

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

const reached = {
  service: text(serviceError).describe(
    "<hostname> of a Service or ServiceEntry, with its <namespace>/ where several have it.",
  ),
  port: port(),
};

const authorizer = {
  ...reached,
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

const httpAuthorizerSchema = z.strictObject({
  ...authorizer,
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

const maxTagLength = z.int().min(0).max(65_536).optional().describe("Of the path in spans; 256 when unset.");

const zipkinSchema = z.strictObject({
  ...reached,
  maxTagLength,
  enable64bitTraceId: z.boolean().optional().describe("Trace ids of 64 bits, and not of 128."),
  path: text((value) => (value.startsWith("/") ? undefined : told("begins-with", { what: "/" })))
    .optional()
    .describe("/api/v2/spans when unset."),
});

const openTelemetrySchema = z.strictObject({
  ...reached,
  maxTagLength,
  http: z
    .strictObject({
      path: text((value) => (value.startsWith("/") ? undefined : told("begins-with", { what: "/" }))),
      timeout: duration().optional(),
      headers: z
        .array(z.strictObject({ name: text(tokenError), value: z.string().max(4_096), envName: notYetUse("value") }))
        .max(16)
        .optional(),
    })
    .optional()
    .describe("OTLP over HTTP, and not over gRPC."),
  grpc: notYet(),
  resourceDetectors: notYet(),
  dynatraceSampler: notYet(),
  serviceAttributeEnrichment: notYet(),
});

const filterStates = z
  .array(z.string().min(1).max(256))
  .max(64)
  .optional()
  .describe("An Envoy's; a bundled sidecar has none.");
const logName = z.string().min(1).max(256).optional();

const fileLogSchema = z.strictObject({
  path: z.string().max(4_096).optional().describe("/dev/stdout when unset."),
  logFormat: rule(
    z.strictObject({
      text: z.string().max(65_536).optional().describe("With Envoy's command operators."),
      labels: z
        .record(z.string(), z.unknown())
        .optional()
        .describe("An object, in JSON, of texts with command operators."),
    }),
    ({ text: line, labels }, report) => {
      if (line !== undefined && labels !== undefined) report(["labels"], told("not-beside", { other: "text" }));
    },
  )
    .optional()
    .describe("Istio's own when unset."),
  omitEmptyValues: z.boolean().optional(),
});

const openTelemetryLogSchema = z.strictObject({
  ...reached,
  logName: logName.describe("otel_envoy_accesslog when unset."),
  logFormat: z
    .strictObject({
      text: z.string().max(65_536).optional().describe("The record's body, with Envoy's command operators."),
      labels: z.record(z.string(), z.string()).optional().describe("The record's attributes."),
    })
    .optional(),
});

const kindsOfProvider = {
  envoyExtAuthzHttp: httpAuthorizerSchema.optional(),
  envoyExtAuthzGrpc: z.strictObject(authorizer).optional(),
  zipkin: zipkinSchema.optional(),
  opentelemetry: openTelemetrySchema.optional(),
  prometheus: z.strictObject({}).optional(),
  envoyFileAccessLog: fileLogSchema.optional(),
  envoyHttpAls: z
    .strictObject({
      ...reached,
      logName: logName.describe("http_envoy_accesslog when unset."),
      filterStateObjectsToLog: filterStates,
      additionalRequestHeadersToLog: headerNames(),
      additionalResponseHeadersToLog: headerNames(),
      additionalResponseTrailersToLog: headerNames(),
    })
    .optional(),
  envoyTcpAls: z
    .strictObject({
      ...reached,
      logName: logName.describe("tcp_envoy_accesslog when unset."),
      filterStateObjectsToLog: filterStates,
    })
    .optional(),
  envoyOtelAls: openTelemetryLogSchema.optional(),
};
export type ProviderKind = keyof typeof kindsOfProvider;
const providerKinds = Object.keys(kindsOfProvider) as ProviderKind[];

const providerSchema = rule(
  z.strictObject({
    name: text((value) =>
      /^[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/.test(value)
        ? undefined
        : told("provider-name", { value: JSON.stringify(value) }),
    ),
    ...kindsOfProvider,
    lightstep: notYetUse("opentelemetry"),
    datadog: notYetUse("opentelemetry"),
    skywalking: notYetUse("opentelemetry"),
    opencensus: notYetUse("opentelemetry"),
    stackdriver: notYetUse("opentelemetry"),
    sds: notYet(told("other-sds", {})),
  }),
  (provider, report) => {
    const [first, second] = providerKinds.filter((kind) => provider[kind] !== undefined);
    if (first === undefined) report([], told("needs-one-of", { fields: providerKinds.join(", ") }));
    if (second !== undefined) report([second], told("not-beside", { other: String(first) }));
    const isAuthorizer = first === "envoyExtAuthzHttp" || first === "envoyExtAuthzGrpc";
    // It is part of the names of rules, by which proxies find whom to ask.
    if (isAuthorizer && /[A-Z]/.test(provider.name)) {
      report(["name"], told("label-name", { value: JSON.stringify(provider.name) }));
    }
  },
);
export type ExtensionProvider = z.output<typeof providerSchema>;

/** What an installation has without saying so, as Istio has `envoy` and `prometheus`; `limpid` is the mesh's own collector. */
export const builtInProviders: readonly ExtensionProvider[] = [
  { name: "envoy", envoyFileAccessLog: { path: "/dev/stdout" } },
  { name: "prometheus", prometheus: {} },
];
export const ownProvider = "limpid";

/** For what a kind of provider may be named. */
export const providersOf = {
  accessLogging: ["envoyFileAccessLog", "envoyHttpAls", "envoyTcpAls", "envoyOtelAls"],
  tracing: ["zipkin", "opentelemetry"],
  metrics: ["prometheus"],
} as const satisfies Record<string, readonly ProviderKind[]>;
export type TelemetrySignal = keyof typeof providersOf;

export const extensionProviders = rule(z.array(providerSchema).max(64), (providers, report) =>
  reportDuplicates(
    providers,
    ({ name }) => name.toLowerCase(),
    ({ name }, index, first) =>
      report([index, "name"], told("name-of-too", { name, other: `extensionProviders[${first}]` })),
  ),
);

const names = () => z.array(z.string().min(1).max(63)).max(8).optional();

export const defaultProviders = z.strictObject({
  accessLogging: names().describe("Beside the mesh's own log, which always is; unset: what accessLogFile says."),
  tracing: names().describe("Instead of the mesh's own; the first counts."),
  metrics: names().describe("prometheus is the one that there is."),
});
export type DefaultProviders = z.output<typeof defaultProviders>;

/** Of MeshConfig: what is named for a signal must be there, and be for it. Istio's names have no case. */
export function checkDefaultProviders(
  {
    extensionProviders = [],
    defaultProviders: named = {},
  }: { extensionProviders?: ExtensionProvider[] | undefined; defaultProviders?: DefaultProviders | undefined },
  report: (path: PropertyKey[], what: Told) => void,
): void {
  const all = [...extensionProviders, ...builtInProviders];
  for (const [signal, kinds] of Object.entries(providersOf) as [TelemetrySignal, readonly ProviderKind[]][]) {
    const known = all.filter((provider) => kinds.some((kind) => provider[kind] !== undefined)).map(({ name }) => name);
    const values = [...new Set([...known, ...(signal === "tracing" ? [ownProvider] : [])])];
    for (const [index, name] of (named[signal] ?? []).entries()) {
      if (values.some((value) => value.toLowerCase() === name.toLowerCase())) continue;
      report(
        ["defaultProviders", signal, index],
        told("provider-for", { signal, values: values.join(", "), value: JSON.stringify(name) }),
      );
    }
  }
}
