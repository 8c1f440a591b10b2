import { create } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type RBAC, RBAC_Action, RBACSchema } from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { RBACSchema as HttpRbacSchema } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../gen/proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import type { RbacSubject } from "../sidecar/rbac/subject.ts";
import { outboundClusters } from "../translate/clusters.ts";
import { checkPrefix } from "../translate/external-authorization.ts";
import { type Guards, guardsAt } from "../translate/guards.ts";
import { defaultTranslateOptions } from "../translate/options.ts";
import { scopeOf } from "../translate/scope.ts";
import { type BoundedMatch, compileBounds, type Unknown } from "./bounds.ts";
import type { RecordedCall } from "./recorded-call.ts";

export interface Verdict {
  readonly kind: "allowed" | "refused" | "undecided";
  /** Of a refusal: the rule that denies, or the policies of which none allows. Of a call that is allowed: the rule that does; "" where none is needed. */
  readonly rule: string;
}

/** What the guards of one workload do with a call. `missing` gathers what was asked for and not recorded. */
export type Judge = (call: RecordedCall) => Verdict;

interface Step {
  readonly action: RBAC_Action;
  readonly match: BoundedMatch;
  /** A provider is asked about what matches. */
  readonly asks: boolean;
  readonly policies: string;
}

/** What of a call is left open: with its `request`, verdicts are of all requests of its caller at its port. */
export interface LeftOpen {
  readonly request?: boolean;
}

/**
 * Calls before the filters that translation makes for this workload, matched by the sidecar's own engine. What a line does not have (claims, headers, addresses)
 * leaves open only what depends on it.
 */
export function createJudge(
  mesh: Mesh,
  proxy: MeshProxy,
  missing: Set<string>,
  { request = false }: LeftOpen = {},
): Judge {
  const options = defaultTranslateOptions;
  const scope = scopeOf(mesh, proxy);
  const { clusters } = outboundClusters(mesh, scope, options);
  const known = new Map<string, readonly Step[]>();
  const stepsFor = (call: RecordedCall): readonly Step[] => {
    const unknown: Unknown = {
      identity: call.mtls && call.identity === undefined,
      port: call.port === undefined,
      request,
    };
    const isTcp = call.protocol === "tcp";
    const key = `${call.port} ${isTcp} ${unknown.identity}`;
    let steps = known.get(key);
    if (steps === undefined) {
      const guards = guardsAt({ mesh, scope, proxy, clusters, options }, call.port);
      steps = (isTcp ? networkRules(guards) : httpRules(guards)).map((it) => step(it, unknown, missing));
      known.set(key, steps);
    }
    return steps;
  };
  return (call) => judge(stepsFor(call), subjectOf(call, proxy));
}

interface FilterRules {
  rules?: RBAC | undefined;
  shadowRules?: RBAC | undefined;
  shadowRulesStatPrefix: string;
}

interface Forced {
  rules: RBAC;
  asks: boolean;
}

/** What is on trial refuses nobody; rules that choose for a provider stand as shadow rules before it. */
const forced = ({ rules, shadowRules, shadowRulesStatPrefix }: FilterRules): Forced[] => [
  ...(rules ? [{ rules, asks: false }] : []),
  ...(shadowRules && shadowRulesStatPrefix === checkPrefix ? [{ rules: shadowRules, asks: true }] : []),
];

const typed = (configType: { case?: string | undefined; value?: unknown } | undefined): Any | undefined =>
  configType?.case === "typedConfig" ? (configType.value as Any) : undefined;

const httpRules = ({ http }: Guards): Forced[] =>
  http.flatMap(({ configType }) => {
    const any = typed(configType);
    const found = any && anyUnpack(any, HttpRbacSchema);
    return found ? forced(found) : [];
  });

const networkRules = ({ tcp }: Guards): Forced[] =>
  tcp.flatMap(({ configType }) => {
    const any = typed(configType);
    const found = any && anyUnpack(any, NetworkRbacSchema);
    return found ? forced(found) : [];
  });

function step({ rules, asks }: Forced, unknown: Unknown, missing: Set<string>): Step {
  const names = Object.keys(rules.policies).map(policyName);
  return {
    action: rules.action,
    asks,
    match: compileBounds(create(RBACSchema, rules), unknown, missing),
    policies: [...new Set(names)].join(", "),
  };
}

/** `ns[default]-policy[reviews]-rule[0]` → `default/reviews`, as a rule with its number. */
const policyName = (name: string): string => name.replace(/^.*?ns\[(.*?)\]-policy\[(.*?)\]-rule\[.*$/, "$1/$2");
const ruleName = (name: string): string =>
  name.replace(/^.*?ns\[(.*?)\]-policy\[(.*?)\]-rule\[(\d+)\].*$/, "$1/$2 rules[$3]");

function judge(steps: readonly Step[], subject: RbacSubject): Verdict {
  let isOpen = false;
  let rule = "";
  for (const { action, match, asks, policies } of steps) {
    if (action === RBAC_Action.LOG) continue;
    const matched = match(subject);
    if (asks) isOpen ||= matched !== "";
    else if (action === RBAC_Action.DENY) {
      if (matched) return { kind: "refused", rule: ruleName(matched) };
      isOpen ||= matched === undefined;
    } else {
      if (matched === "") return { kind: "refused", rule: policies };
      isOpen ||= matched === undefined;
      rule = matched === undefined ? "" : ruleName(matched);
    }
  }
  return isOpen ? { kind: "undecided", rule: "" } : { kind: "allowed", rule };
}

function subjectOf(call: RecordedCall, proxy: MeshProxy): RbacSubject {
  const { method, path, authority, identity, mtls, port = 0, protocol } = call;
  return {
    connection: {
      remoteAddress: "",
      localAddress: call.destination.address || proxy.ip,
      localPort: port,
      tls: mtls ? { peer: { uris: identity === undefined ? [] : [identity], dns: [], subject: "" } } : undefined,
    },
    serverName: "",
    remoteAddress: "",
    request: protocol === "tcp" ? undefined : { method, path, authority, scheme: "http", headers: [] },
  };
}
