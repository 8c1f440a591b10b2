import { z } from "zod";
import { ConfigRule } from "./logs.ts";

/** Where in the config something comes from. `line`: of the object's YAML as its page shows it, counted from one; null: unknown. */
export const Origin = ConfigRule.extend({ line: z.number().nullable() });
export type Origin = z.infer<typeof Origin>;

/** What is looked at. `other`: a condition of Envoy's that is not judged here, by its field's name. */
export const checkSubjects = [
  "path",
  "method",
  "authority",
  "scheme",
  "header",
  "query",
  "grpc",
  "fraction",
  "destination-port",
  "destination-address",
  "server-name",
  "transport",
  "application-protocol",
  "principal",
  "source-address",
  "remote-address",
  "claim",
  "other",
] as const;

export const checkOperators = [
  "exact",
  "prefix",
  "path-prefix",
  "suffix",
  "contains",
  "regex",
  "template",
  "present",
  "absent",
  "range",
  "within",
  "any",
  "all-of",
  "any-of",
  "share",
  "unknown",
] as const;

/** One condition and what it met. `all-of` and `any-of` have others below them. */
export interface Check {
  subject: (typeof checkSubjects)[number];
  /** Of a header, a query parameter, a field. */
  name: string;
  operator: (typeof checkOperators)[number];
  /** What is asked for. */
  value: string;
  /** The opposite is asked for. */
  not: boolean;
  ignoreCase: boolean;
  /** What the request has; null: nothing. */
  has: string | null;
  /** Null: can't be told. */
  ok: boolean | null;
  of: Check[];
}

export const Check: z.ZodType<Check> = z.lazy(() =>
  z.object({
    subject: z.enum(checkSubjects),
    name: z.string(),
    operator: z.enum(checkOperators),
    value: z.string(),
    not: z.boolean(),
    ignoreCase: z.boolean(),
    has: z.string().nullable(),
    ok: z.boolean().nullable(),
    of: z.array(Check),
  }),
);

export const ExplainedChain = z.object({
  /** Its name, else its place among the listener's chains. */
  name: z.string(),
  chosen: z.boolean(),
  /** It matches, and another matches more specifically. */
  outdone: z.boolean(),
  checks: z.array(Check),
  serves: z.enum(["http", "tcp", "nothing"]),
  /** It ends TLS; `mutual`: and wants the client's certificate. */
  tls: z.enum(["none", "simple", "mutual"]),
  origin: Origin.nullable(),
});
export type ExplainedChain = z.infer<typeof ExplainedChain>;

export const routeVerdicts = ["taken", "passed", "not-reached", "unknown"] as const;

export const ExplainedRoute = z.object({
  index: z.number(),
  /** As the access log calls it; may be empty. */
  name: z.string(),
  /** `passed`: a condition does not hold. `not-reached`: an earlier one takes everything. `unknown`: a condition can't be judged. */
  verdict: z.enum(routeVerdicts),
  /** Share of such requests that take it, 0..1. */
  share: z.number(),
  checks: z.array(Check),
  does: z.enum(["forward", "redirect", "answer", "other"]),
  /** Clusters, the address of a redirect, or a status. */
  to: z.string(),
  origin: Origin.nullable(),
});
export type ExplainedRoute = z.infer<typeof ExplainedRoute>;

export const ExplainedPolicy = z.object({
  /** Envoy's name of it: `ns[default]-policy[ratings]-rule[0]`. */
  name: z.string(),
  matched: z.boolean().nullable(),
  who: z.array(Check),
  what: z.array(Check),
  origin: Origin.nullable(),
});
export type ExplainedPolicy = z.infer<typeof ExplainedPolicy>;

export const ExplainedFilter = z.object({
  name: z.string(),
  /** `rate-limit` and `unjudged`: it may answer by itself, by what is not known here; `other`: it passes everything on. */
  kind: z.enum(["rbac", "jwt", "fault", "cors", "rate-limit", "unjudged", "other"]),
  /** Of RBAC; `trial`: it only says what it would do. */
  rbac: z
    .object({
      action: z.enum(["ALLOW", "DENY", "LOG"]),
      trial: z.boolean(),
      allowed: z.boolean().nullable(),
      policies: z.array(ExplainedPolicy),
    })
    .nullable(),
  /** What it makes of the request's token; null: it is no such filter, or nobody said whether there is a token. */
  jwt: z
    .object({
      ok: z.boolean(),
      /** That it answers by itself; 0: it lets the request pass. */
      status: z.number(),
      /** Envoy's words for what is wrong with the token; empty: nothing. */
      why: z.string(),
      issuer: z.string(),
      /** Whose tokens it takes. */
      issuers: z.array(z.string()),
    })
    .nullable(),
  /** Of faults: shares 0..1, milliseconds, 0 for none; `applies`: the request is one that it is for. */
  fault: z
    .object({
      delayMs: z.number(),
      delayShare: z.number(),
      abortStatus: z.number(),
      abortShare: z.number(),
      applies: z.boolean(),
    })
    .nullable(),
});
export type ExplainedFilter = z.infer<typeof ExplainedFilter>;

export const ExplainedEndpoint = z.object({
  address: z.string(),
  /** `<namespace>/<workload>`, where it tells. */
  workload: z.string(),
  /** The WorkloadGroup for which it registered itself. */
  group: z.string().optional(),
  locality: z.string(),
  priority: z.number(),
  weight: z.number(),
  /** As the config says, in Envoy's words: `HEALTHY`, `UNKNOWN` … */
  health: z.string(),
  healthy: z.boolean(),
  tls: z.enum(["none", "simple", "mutual"]),
});
export type ExplainedEndpoint = z.infer<typeof ExplainedEndpoint>;

export const ExplainedCluster = z.object({
  name: z.string(),
  /** Share of the requests, 0..1. */
  share: z.number(),
  /** The proxy has it. */
  found: z.boolean(),
  subset: z.string(),
  discovery: z.string(),
  policy: z.string(),
  tls: z.enum(["none", "simple", "mutual", "by-endpoint"]),
  serverName: z.string(),
  connectTimeoutMs: z.number(),
  outlierDetection: z.boolean(),
  /** The DestinationRule, and in it the subset. */
  origin: Origin.nullable(),
  endpoints: z.array(ExplainedEndpoint),
  /** How many more there are. */
  more: z.number(),
  /** What the proxy says of them right now, by checks of its own and by outlier detection; absent where it sends no metrics. */
  live: z.object({ healthy: z.number(), total: z.number(), ejected: z.number() }).optional(),
});
export type ExplainedCluster = z.infer<typeof ExplainedCluster>;

/** What a route does with the requests that it takes. Durations are milliseconds, 0 for none. */
export const ExplainedForward = z.object({
  timeoutMs: z.number(),
  idleTimeoutMs: z.number().nullable(),
  retry: z.object({ on: z.string(), attempts: z.number(), perTryTimeoutMs: z.number() }).nullable(),
  mirrors: z.array(z.object({ cluster: z.string(), share: z.number() })),
  /** What the next hop sees, where it is another. */
  path: z.string().nullable(),
  authority: z.string().nullable(),
  hashedBy: z.array(z.string()),
  /** Of headers that are set, added or taken away: their names. */
  requestHeaders: z.array(z.string()),
  responseHeaders: z.array(z.string()),
});
export type ExplainedForward = z.infer<typeof ExplainedForward>;

export const explainEnds = [
  "forwarded",
  "redirected",
  "answered",
  "aborted",
  "denied",
  "no-listener",
  "no-chain",
  "no-routes",
  "no-virtual-host",
  "no-route",
  "no-cluster",
  "no-endpoint",
  "bad-request",
] as const;

/** Where the walk through one proxy ends. */
export const ExplainedEnd = z.object({
  kind: z.enum(explainEnds),
  /** Of the answer that the proxy gives by itself; 0: none, or a closed connection. */
  status: z.number(),
  /** Envoy's response code details; empty: none are told. */
  details: z.string(),
  /** Where a redirect leads to. */
  location: z.string(),
});
export type ExplainedEnd = z.infer<typeof ExplainedEnd>;

export const listenerChoices = ["http-proxy", "address", "port", "original-destination", "only"] as const;

/** What one proxy does with the request, in the order in which it does it. */
export const ExplainedSide = z.object({
  proxy: z.object({
    id: z.string(),
    name: z.string(),
    namespace: z.string(),
    app: z.string(),
    version: z.string(),
    kind: z.enum(["sidecar", "gateway"]),
    implementation: z.string(),
  }),
  direction: z.enum(["outbound", "inbound"]),
  /** As this proxy sees it, after what it does to the path. */
  request: z.object({ method: z.string(), authority: z.string(), path: z.string() }),
  listener: z.object({ name: z.string(), address: z.string(), by: z.enum(listenerChoices) }).nullable(),
  chains: z.array(ExplainedChain),
  /** Empty: the chain has no routes. */
  routeConfiguration: z.string(),
  virtualHost: z.object({ name: z.string(), domain: z.string(), among: z.number() }).nullable(),
  routes: z.array(ExplainedRoute),
  filters: z.array(ExplainedFilter),
  forward: ExplainedForward.nullable(),
  clusters: z.array(ExplainedCluster),
  /** Where copies of the requests go, each with its share; nobody waits for their answers. */
  mirrors: z.array(ExplainedCluster),
  end: ExplainedEnd,
});
export type ExplainedSide = z.infer<typeof ExplainedSide>;

/** What the proxy of an endpoint makes of what comes to it. */
export const ExplainedDestination = z.object({
  cluster: z.string(),
  /** It gets copies, and its answer goes nowhere. */
  mirrored: z.boolean(),
  endpoint: z.string(),
  tls: z.enum(["none", "simple", "mutual"]),
  /** Who the caller's certificate says it is; empty: nobody. */
  identity: z.string(),
  /** What the port takes, and which PeerAuthentication says so; null: none does. */
  peerAuthentication: z.object({ mode: z.string(), origin: Origin.nullable() }),
  side: ExplainedSide,
});
export type ExplainedDestination = z.infer<typeof ExplainedDestination>;

/** `GET /api/explain` */
export const Explanation = z.object({
  at: z.number(),
  request: z.object({ method: z.string(), url: z.string(), headers: z.array(z.string()) }),
  source: ExplainedSide,
  /** One for each cluster with an endpoint that a proxy of ours stands before. */
  destinations: z.array(ExplainedDestination),
});
export type Explanation = z.infer<typeof Explanation>;

/**
 * The query of `GET /api/explain`. `from`: a node id, or the name of a workload or an app, with its namespace before a `/` where that is not plain. `url`: `http://…`, `https://…` or
 * `tcp://host:port`. `headers`: `name: value`, a line each. `identity`: of a client that comes to a gateway by mutual TLS.
 */
export const ExplainQuery = z.object({
  from: z.string().min(1, "who calls is missing").max(500),
  url: z.string().min(1, "what is called is missing").max(8000),
  method: z
    .string()
    .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}$/, "must be a method such as GET")
    .default("GET"),
  headers: z.string().max(16_000).default(""),
  identity: z.string().max(2000).default(""),
  /**
   * A JWT, or the claims of one as JSON; `none`: the request has none; empty: nobody said. Only in the body of `POST /api/explain`, since addresses are written down.
   */
  token: z.string().max(16_000).default(""),
});
export type ExplainQuery = z.infer<typeof ExplainQuery>;
