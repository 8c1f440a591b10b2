import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { told } from "../../contract/told.ts";
import { grpcStatusNames } from "../../wire/grpc-status.ts";
import { destinationSchema } from "./destination.ts";
import {
  changedHeaderError,
  dnsLabelOrNone,
  duration,
  nonNegativeInt32,
  percentage,
  portOrNone,
  setsAuthority,
  stringMatch,
  uint32,
} from "./fields.ts";
import { headerValueError } from "./header-value.ts";
import { httpMatchSchema } from "./http-match.ts";
import { subdomainError } from "./metadata.ts";
import { regexError } from "./regex.ts";
import { notYetUse, orNull, type Report, rule, says, text } from "./schema.ts";

// https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute

/** Envoy refuses a weighted cluster beyond it. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-weightedcluster */
const maxTotalWeight = 4_294_967_295;

const changedHeaders = (direction: "request" | "response") => {
  const values = () =>
    z.record(
      text((name) => changedHeaderError(name, direction)),
      text(headerValueError),
    );
  return z.strictObject({
    set: values().optional().describe("Overwrites."),
    add: values().optional().describe("Appends."),
    remove: z.array(text((name) => changedHeaderError(name, "remove"))).optional(),
  });
};

const headersSchema = z.strictObject({
  request: changedHeaders("request").optional(),
  response: changedHeaders("response").optional(),
});
export type Headers = z.output<typeof headersSchema>;

const httpRouteDestinationSchema = z.strictObject({
  destination: destinationSchema,
  weight: nonNegativeInt32()
    .optional()
    .describe("Share of the requests, relative to the sum of all weights of the rule."),
  headers: headersSchema.optional(),
});
export type HTTPRouteDestination = z.output<typeof httpRouteDestinationSchema>;

const httpStatus = () => z.int().min(200).max(599);

const faultDelaySchema = z.strictObject({
  fixedDelay: duration().optional(),
  percentage: percentage().optional(),
  percent: z.int().min(0).max(100).optional().describe("Deprecated: use percentage."),
  exponentialDelay: notYetUse("fixedDelay"),
});

const faultAbortSchema = rule(
  z.strictObject({
    httpStatus: httpStatus().optional(),
    grpcStatus: z.enum(grpcStatusNames).optional(),
    percentage: percentage().optional(),
    http2Error: notYetUse("httpStatus, grpcStatus"),
  }),
  (abort, report) => {
    if (abort.httpStatus !== undefined && abort.grpcStatus !== undefined) {
      report([], told("only-one", { fields: "httpStatus, grpcStatus" }));
    }
  },
);

const faultSchema = rule(
  z.strictObject({ delay: faultDelaySchema.optional(), abort: faultAbortSchema.optional() }),
  (fault, report) => {
    if (fault.delay === undefined && fault.abort === undefined)
      report([], told("needs-any-of", { fields: "delay, abort" }));
  },
);
export type HTTPFaultInjection = z.output<typeof faultSchema>;

/** Envoy's and gRPC's retry conditions; a number is a status code. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRetry */
const retryConditions = new Set(
  "5xx gateway-error reset reset-before-request connect-failure retriable-4xx refused-stream retriable-status-codes retriable-headers envoy-ratelimited http3-post-connect-failure cancelled deadline-exceeded internal resource-exhausted unavailable".split(
    " ",
  ),
);

const retriesSchema = rule(
  z.strictObject({
    attempts: nonNegativeInt32().optional().describe("Retries after the first try; 0: none."),
    perTryTimeout: duration().optional(),
    retryOn: text((value) => {
      const wrong =
        value === ""
          ? undefined
          : value.split(",").find((word) => !retryConditions.has(word) && STATUS_CODES[word] === undefined);
      return wrong === undefined
        ? undefined
        : told("retry-condition", { value: JSON.stringify(wrong), known: [...retryConditions].join(", ") });
    }).optional(),
    backoff: duration().optional().describe("Base of the exponential back-off between tries; 25ms when unset."),
    retryRemoteLocalities: orNull(z.boolean()),
    retryIgnorePreviousHosts: orNull(z.boolean()),
  }),
  (retries, report) => {
    if ((retries.attempts ?? 0) > 0) return;
    for (const key of ["perTryTimeout", "retryOn", "retryRemoteLocalities"] as const) {
      if (retries[key] && retries[key] !== "") report([key], told("needs-attempts", {}));
    }
  },
);
export type HTTPRetry = z.output<typeof retriesSchema>;

const redirectSchema = rule(
  z.strictObject({
    uri: z.string().optional(),
    prefixRewrite: z.string().optional(),
    authority: z.string().optional(),
    port: portOrNone().optional(),
    derivePort: z.enum(["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"]).optional(),
    scheme: z.enum(["http", "https", ""]).optional(),
    redirectCode: z
      .union([z.literal(0), z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)], {
        // Envoy has no others. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#enum-config-route-v3-redirectaction-redirectresponsecode
        error: says(told("one-of", { values: "301, 302, 303, 307, 308" })),
      })
      .optional(),
  }),
  (redirect, report) => {
    if (redirect.uri && redirect.prefixRewrite) report([], told("only-one", { fields: "uri, prefixRewrite" }));
    if (redirect.port && redirect.derivePort !== undefined)
      report([], told("only-one", { fields: "port, derivePort" }));
    const { uri, prefixRewrite, authority, scheme } = redirect;
    if (!uri && !prefixRewrite && !authority && !scheme && !redirect.port && redirect.derivePort === undefined) {
      report([], told("needs-any-of", { fields: "uri, prefixRewrite, authority, scheme, port" }));
    }
  },
);
export type HTTPRedirect = z.output<typeof redirectSchema>;

const maxDirectBody = 1024 * 1024;

const directResponseSchema = z.strictObject({
  status: httpStatus(),
  body: rule(
    z.strictObject({
      string: z.string().optional(),
      bytes: text((value) =>
        value !== "" && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0 ? undefined : told("base64", {}),
      ).optional(),
    }),
    (body, report) => {
      if (body.string !== undefined && body.bytes !== undefined)
        report([], told("only-one", { fields: "string, bytes" }));
      const bytes = Buffer.byteLength(body.string ?? "") + Buffer.byteLength(body.bytes ?? "", "base64");
      if (bytes > maxDirectBody) report([], told("max-bytes", { limit: maxDirectBody, bytes }));
    },
  ).optional(),
});
export type HTTPDirectResponse = z.output<typeof directResponseSchema>;

const rewriteSchema = rule(
  z.strictObject({
    uri: z.string().optional().describe("Replaces the matched prefix, or the whole path after an exact match."),
    authority: z.string().optional(),
    uriRegexRewrite: z
      .strictObject({
        match: text(regexError),
        rewrite: z.string().min(1).describe(String.raw`May refer to capture groups as \1.`),
      })
      .optional(),
  }),
  (rewrite, report) => {
    if (rewrite.uri && rewrite.uriRegexRewrite) report([], told("only-one", { fields: "uri, uriRegexRewrite" }));
    if (!rewrite.uri && !rewrite.authority && !rewrite.uriRegexRewrite)
      report([], told("needs-any-of", { fields: "uri, uriRegexRewrite, authority" }));
  },
);
export type HTTPRewrite = z.output<typeof rewriteSchema>;

const corsMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"] as const;
const corsHeader = () => text((name) => (name === "*" ? undefined : changedHeaderError(name, "remove")));

const corsPolicySchema = z.strictObject({
  allowOrigins: z
    .array(
      rule(stringMatch({ none: true }), (origin, report) => {
        if (origin.exact === "") report(["exact"], told("not-empty", {}));
      }),
    )
    .optional(),
  allowOrigin: z.array(z.string().min(1)).optional().describe("Deprecated: use allowOrigins."),
  allowMethods: z.array(z.enum(corsMethods)).optional(),
  allowHeaders: z.array(corsHeader()).optional(),
  exposeHeaders: z.array(corsHeader()).optional(),
  maxAge: rule(duration(), (value, report) => {
    if (/\dms/.test(value) || /\.\d/.test(value)) report([], told("duration-seconds", {}));
  }).optional(),
  allowCredentials: orNull(z.boolean()),
  unmatchedPreflights: z.enum(["UNSPECIFIED", "FORWARD", "IGNORE"]).optional(),
});
export type CorsPolicy = z.output<typeof corsPolicySchema>;

const mirrorSchema = z.strictObject({ destination: destinationSchema, percentage: percentage().optional() });

const routeFields = z.strictObject({
  name: z.string().optional().describe("Name of the rule, for logs."),
  match: z.array(httpMatchSchema).optional().describe("Alternatives; none: every request."),
  route: z.array(httpRouteDestinationSchema).optional().describe("Where the requests go, by weight."),
  redirect: redirectSchema.optional(),
  directResponse: directResponseSchema.optional(),
  rewrite: rewriteSchema.optional(),
  timeout: duration().optional().describe("Of the whole request with its retries; unset: none."),
  retries: retriesSchema.optional(),
  fault: faultSchema.optional(),
  mirror: destinationSchema.optional(),
  mirrorPercentage: percentage().optional(),
  mirrorPercent: orNull(uint32().max(100)).describe("Deprecated: use mirrorPercentage."),
  mirror_percent: orNull(uint32().max(100)).describe("Deprecated: use mirrorPercentage."),
  mirrors: z.array(mirrorSchema).optional(),
  corsPolicy: corsPolicySchema.optional(),
  headers: headersSchema.optional(),
  delegate: z
    .strictObject({
      name: text(subdomainError).describe("A VirtualService without hosts."),
      namespace: dnsLabelOrNone().optional().describe("Of this VirtualService when unset."),
    })
    .optional()
    .describe("Whose rules take these requests, with what this rule says beside them; instead of route and redirect."),
});
export type HTTPRoute = z.output<typeof routeFields>;

export const httpRouteSchema = rule(routeFields, checkRoute);

function checkRoute(route: HTTPRoute, report: Report): void {
  const destinations = route.route ?? [];
  if (route.delegate !== undefined) {
    if (destinations.length > 0) report(["route"], told("rule-not-both", { other: "delegate" }));
    if (route.redirect !== undefined) report(["redirect"], told("rule-not-both", { other: "delegate" }));
  } else checkAction(route, report);
  const request = route.headers?.request;
  const places = [Boolean(route.rewrite?.authority), setsAuthority(request?.set), setsAuthority(request?.add)];
  if (places.filter(Boolean).length > 1) report([], told("authority-twice", {}));
}

function checkAction(route: HTTPRoute, report: Report): void {
  const destinations = route.route ?? [];
  const action =
    route.redirect !== undefined ? "redirect" : route.directResponse !== undefined ? "directResponse" : undefined;
  if (action === undefined) {
    if (destinations.length === 0) report([], told("needs-one-of", { fields: "route, redirect, directResponse" }));
  } else {
    if (destinations.length > 0) report([action], told("rule-not-both", { other: "route" }));
    for (const other of ["fault", "rewrite"] as const) {
      if (route[other] !== undefined) report([other], told("rule-not-both", { other: action }));
    }
    if (route.redirect !== undefined && route.directResponse !== undefined) {
      report(["directResponse"], told("rule-not-both", { other: "redirect" }));
    }
  }
  if (route.mirror !== undefined && (route.mirrors ?? []).length > 0)
    report(["mirrors"], told("rule-not-both", { other: "mirror" }));
  // One destination gets everything, whatever its weight; several share by weight, and something has to be shared.
  if (destinations.length > 1 && destinations.every((destination) => (destination.weight ?? 0) === 0)) {
    report(["route"], told("weights-zero", {}));
  }
  const total = destinations.reduce((sum, destination) => sum + (destination.weight ?? 0), 0);
  if (total > maxTotalWeight) {
    report(["route"], told("weights-most", { maximum: maxTotalWeight, total }));
  }
  if (route.redirect?.prefixRewrite) {
    (route.match ?? []).forEach((match, index) => {
      if (match.uri !== undefined && match.uri.prefix === undefined) {
        report(["match", index, "uri"], told("prefix-for-rewrite", {}));
      }
    });
  }
}
