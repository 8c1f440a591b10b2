import { z } from "zod";
import { ConfigWarning, UndoneChange } from "./changes.ts";
import { Conditions } from "./conditions.ts";
import { XdsTypeName } from "./proxies.ts";

export const RouteDestination = z.object({
  host: z.string(),
  /** It is the service that the rules are shown for. */
  ours: z.boolean(),
  subset: z.string().nullable(),
  /** The version the subset stands for, when its labels say so. */
  version: z.string().nullable(),
  weight: z.number().int().min(0).max(100),
});
export type RouteDestination = z.infer<typeof RouteDestination>;

/** One `http[]` entry of a VirtualService, for people; of a TCP service, one of `tcp[]`. */
export const RouteRule = z.object({
  /** Index into its list. */
  index: z.number().int(),
  name: z.string().nullable(),
  /** Each string is one alternative, such as `uri prefix /api and header end-user = jason`; empty: everything else. */
  matches: z.array(z.string()),
  /** The same in parts. */
  conditions: Conditions.optional(),
  destinations: z.array(RouteDestination),
  timeout: z.string().nullable(),
  retries: z.string().nullable(),
  mirror: z.string().nullable(),
  fault: z.string().nullable(),
  redirect: z.string().nullable(),
  /** The VirtualService whose rules take its requests. */
  delegate: z.object({ namespace: z.string(), name: z.string() }).optional(),
});
export type RouteRule = z.infer<typeof RouteRule>;

/** A VirtualService that is in force at gateways only, or to which others delegate. */
export const Entrance = z.object({
  namespace: z.string(),
  name: z.string(),
  resourceVersion: z.string(),
  yaml: z.string(),
  /** What clients call, such as `shop.example.com` or `*`. */
  hosts: z.array(z.string()),
  /** `<namespace>/<name>`. */
  gateways: z.array(z.string()),
  /** Those of its rules that send to the service; of what the service's own VirtualService delegates to, all that are in force. */
  rules: z.array(RouteRule),
  /** Those that delegate to it; none: its hosts and gateways are its own. */
  roots: z.array(z.object({ namespace: z.string(), name: z.string() })).optional(),
});
export type Entrance = z.infer<typeof Entrance>;

/** `GET /limpid/v1/services/{namespace}/{name}/routing`, and the same under the dashboard's `/api`. */
export const Routing = z.object({
  hostname: z.string(),
  /** The object that holds the rules, and its version for the next write; null: none yet, traffic goes to every version alike. */
  virtualService: z
    .object({ namespace: z.string(), name: z.string(), resourceVersion: z.string(), yaml: z.string() })
    .nullable(),
  destinationRule: z
    .object({ namespace: z.string(), name: z.string(), resourceVersion: z.string(), yaml: z.string() })
    .nullable(),
  rules: z.array(RouteRule),
  /** Which of the VirtualService's lists the rules are of: `tcp` for a service that has ports of that alone. Left out: `http`. */
  layer: z.enum(["http", "tcp"]).optional(),
  /** Versions that could be routed to, each with the subset that exists or would be made. */
  versions: z.array(z.object({ version: z.string(), subset: z.string() })),
  /** Proxies that hold this service's routes. */
  proxies: z.number(),
  /** VirtualServices of gateways that send requests to the service: where it is entered from outside of the mesh. */
  entrances: z.array(Entrance),
  /** To which the VirtualService of the mesh's own traffic delegates: their rules take the requests of those that have a `delegate`. */
  delegates: z.array(Entrance).optional(),
});
export type Routing = z.infer<typeof Routing>;

/**
 * `PUT …/routing/weights[?dryRun=true]`: sets the weights of one rule; subsets that the DestinationRule lacks are made in the same
 * atomic write. Weights are integers and sum to 100.
 */
export const WeightsChange = z.object({
  rule: z.number().int().min(0),
  /** By subset name. */
  weights: z.record(z.string(), z.number().int().min(0).max(100)),
  /** The VirtualService's version that the change was made against; null when there was none. */
  resourceVersion: z.string().nullable(),
  /** Whose rule it is, for a gateway's entrance or a delegate; left out: the VirtualService for the mesh's own traffic. */
  virtualService: z.object({ namespace: z.string(), name: z.string() }).optional(),
  /** Rules of other VirtualServices that are to share alike, in the same atomic write. */
  also: z
    .array(
      z.object({
        virtualService: z.object({ namespace: z.string(), name: z.string() }),
        rule: z.number().int().min(0),
        resourceVersion: z.string(),
      }),
    )
    .max(20)
    .optional(),
});
export type WeightsChange = z.infer<typeof WeightsChange>;

export const ChangedObject = z.object({
  kind: z.string(),
  namespace: z.string(),
  name: z.string(),
  /** Empty when it is made by this change. */
  before: z.string(),
  after: z.string(),
  /** Of a VirtualService: where it is in force, `mesh` for all sidecars, else gateways as `<namespace>/<name>`. */
  through: z.array(z.string()).optional(),
  /** On a dry run: not of this change, but written by the control plane right after it, as a canary's first step. */
  follows: z.literal(true).optional(),
});
export type ChangedObject = z.infer<typeof ChangedObject>;

/** A destination whose share of a rule's requests a change alters. */
export const ShareChange = z.object({
  /** `<namespace>/<name>` */
  virtualService: z.string(),
  /** Which of the VirtualService's lists the rule stands in. */
  list: z.enum(["http", "tcp", "tls"]).default("http"),
  /** Index into that list, after the change where the rule is still there. */
  rule: z.number().int(),
  /** The rule's conditions, as in `RouteRule.matches`. */
  matches: z.array(z.string()),
  /** The same in parts, of rules of requests. */
  conditions: Conditions.optional(),
  /** Fully qualified. */
  hostname: z.string(),
  subset: z.string().nullable(),
  /** Whole percents, before and after. */
  before: z.number().int(),
  after: z.number().int(),
  /** How many endpoints there are to take it after the change. */
  endpoints: z.number().int(),
  /**
   * Requests stay and nobody is left to take them: the change takes the endpoints (or the subset that stands for them), the service itself
   * (`virtualService` is empty then, when no rule sends to it), the rule that took them, or the gateway, whose `<namespace>/<name>`
   * `hostname` then is.
   */
  lost: z.enum(["endpoints", "service", "route", "gateway"]).optional(),
  /** The namespace whose clients it is of, where those of the VirtualService's own do otherwise. */
  clients: z.string().optional(),
});
export type ShareChange = z.infer<typeof ShareChange>;

/** What of a change sends requests where nobody takes them: what goes there is answered 503, or not at all. */
export const deadShares = ({ shares }: { shares: readonly ShareChange[] }): ShareChange[] =>
  shares.filter(({ before, after, endpoints, lost }) => lost !== undefined || (endpoints === 0 && after > before));

/** One xDS resource that a change would alter, as the proxies would get it. */
export const EnvoyChange = z.object({
  type: XdsTypeName,
  name: z.string(),
  /** Proto JSON as YAML; empty when it is new. */
  before: z.string(),
  /** Empty when it goes. */
  after: z.string(),
  /** Names of the proxies that would get it. */
  proxies: z.array(z.string()),
});
export type EnvoyChange = z.infer<typeof EnvoyChange>;

/** What a change means for the proxies' own config: the drafted mesh, translated for those that are connected. */
export const EnvoyPreview = z.object({
  resources: z.array(EnvoyChange),
  /** Further resources that were left out of the answer. */
  more: z.number().int(),
  /** Connected proxies that would get something new, by name. */
  proxies: z.array(z.string()),
  /** Proxies that were not looked at, in a fleet too large for a preview. */
  unseen: z.number().int(),
});
export type EnvoyPreview = z.infer<typeof EnvoyPreview>;

/** What proxies would refuse of a change, known before it is made. */
export const ForetoldRefusal = z.object({
  type: XdsTypeName,
  resource: z.string(),
  /** In the proxy's own words. */
  detail: z.string(),
  /** Names of the proxies, gateways among them. */
  proxies: z.array(z.string()),
  /** The object of the change that it comes from; null: it can't be told. */
  object: z.object({ kind: z.string(), namespace: z.string(), name: z.string() }).nullable(),
  /** A line of that object's YAML after the change, as it is shown, counting from one, and the field that stands there. */
  place: z.object({ line: z.number().int(), path: z.string() }).nullable(),
});
export type ForetoldRefusal = z.infer<typeof ForetoldRefusal>;

/** The answer to every write, dry or not. */
export const ChangeResult = z.object({
  /** The store's revision after the write; on a dry run the present one. */
  revision: z.number(),
  dryRun: z.boolean(),
  /** YAML before and after, one entry per object that changes. */
  objects: z.array(ChangedObject),
  proxies: z.number(),
  warnings: z.array(ConfigWarning),
  /** Who gets more of the traffic, and who less. A destination without endpoints answers 503. */
  shares: z.array(ShareChange),
  /** On a dry run: which proxies would refuse it, and where; unset where that is not known. */
  refusals: z.array(ForetoldRefusal).optional(),
  /** Asked for with `envoy=true` on a dry run. */
  envoy: EnvoyPreview.optional(),
  /** On an undo. */
  undo: UndoneChange.optional(),
});
export type ChangeResult = z.infer<typeof ChangeResult>;
