import { create, toJson } from "@bufbuild/protobuf";
import { type RBAC, RBAC_Action, RBACSchema } from "../../server/gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import type { AuthorizationPolicy } from "../../server/model/authorization-policies.ts";
import { compileRbac } from "../../server/sidecar/rbac/engine.ts";
import type { RbacSubject } from "../../server/sidecar/rbac/subject.ts";
import { policyOf } from "../../server/translate/authorization-rules.ts";
import { Bars } from "./bars.ts";
import { benchFilterOnSockets } from "./filter-on-sockets.ts";
import { quantile } from "./process-usage.ts";

const rules = 100;
const rounds = 15;
const requests = 20_000;

type Rule = AuthorizationPolicy["rules"][number];

/** Rules as people write them, a hundred of a kind, that differ in one place. */
const kinds: Record<string, (index: number) => Rule> = {
  "callers and paths": (at) => ({
    from: [{ source: { principals: [`cluster.local/ns/default/sa/caller-${at}`] } }],
    to: [{ operation: { methods: ["GET"], paths: [`/api/v1/things-${at}/*`] } }],
  }),
  "paths of one caller": (at) => ({
    from: [{ source: { principals: ["cluster.local/ns/default/sa/shop"] } }],
    to: [{ operation: { methods: ["GET"], paths: [`/api/v1/things-${at}`, `/api/v1/things-${at}/*`] } }],
  }),
  "paths by their ends": (at) => ({ to: [{ operation: { methods: ["GET"], paths: [`*/things-${at}`] } }] }),
  namespaces: (at) => ({ from: [{ source: { namespaces: [`team-${at}`] } }] }),
  "claims of a token": (at) => ({ when: [{ key: "request.auth.claims[group]", values: [`group-${at}`] }] }),
  "addresses of connections": (at) => ({ from: [{ source: { ipBlocks: [`10.${at}.0.0/16`] } }] }),
  "addresses behind a gateway": (at) => ({ from: [{ source: { remoteIpBlocks: [`10.${at}.0.0/16`] } }] }),
  headers: (at) => ({ when: [{ key: "request.headers[x-team]", values: [`team-${at}`] }] }),
};

/** What a policy of a hundred rules costs a request that none of them meets, which is asked after all of them: the engine alone, then the filter on sockets beside Envoy's. */
export async function benchPolicies(): Promise<void> {
  const bars = new Bars();
  for (const [kind, rule] of Object.entries(kinds)) {
    const engine = compileRbac(rbacOf(rule, "ALLOW"));
    const subject = asked();
    const micros: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const started = process.cpuUsage();
      for (let at = 0; at < requests; at++) if (engine(subject).allowed) throw new Error(`${kind}: one of them holds`);
      const { user, system } = process.cpuUsage(started);
      micros.push((user + system) / requests);
    }
    bars.add({ what: `${rules} rules: ${kind}`, value: quantile(micros, 0.5), unit: "µs a request", most: 5 });
  }
  for (const [kind, rule] of Object.entries(onSockets)) {
    const what = `${rules} rules on sockets: ${kind}`;
    const filter = {
      name: "envoy.filters.http.rbac",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
        rules: toJson(RBACSchema, rbacOf(rule, "DENY")),
      },
    };
    await bars.part(what, () => benchFilterOnSockets(what, filter, bars));
  }
  bars.table();
}

/** In clear text, so without callers. */
const onSockets: Record<string, (index: number) => Rule> = {
  paths: (at) => ({
    to: [{ operation: { methods: ["GET"], paths: [`/api/v1/things-${at}`, `/api/v1/things-${at}/*`] } }],
  }),
  "addresses of connections": (at) => ({ from: [{ source: { ipBlocks: [`10.${at}.0.0/16`] } }] }),
  headers: (at) => ({ when: [{ key: "request.headers[x-team]", values: [`team-${at}`] }] }),
};

function rbacOf(rule: (index: number) => Rule, action: "ALLOW" | "DENY"): RBAC {
  const policy: AuthorizationPolicy = {
    name: "bench",
    namespace: "default",
    attachment: { namespace: "default", selector: {}, targets: [] },
    action,
    provider: "",
    rules: Array.from({ length: rules }, (_, at) => rule(at)),
    dryRun: false,
  };
  const policies = policy.rules.flatMap((each, at) => {
    const made = policyOf(each, policy, false);
    return made === undefined ? [] : [[`ns[default]-policy[bench]-rule[${at}]`, made] as const];
  });
  return create(RBACSchema, { action: RBAC_Action[action], policies: Object.fromEntries(policies) });
}

const asked = (): RbacSubject => ({
  connection: {
    remoteAddress: "10.200.0.1",
    localAddress: "10.0.0.1",
    localPort: 9080,
    tls: { peer: { uris: ["spiffe://cluster.local/ns/default/sa/shop"], dns: [], subject: "" } },
  },
  serverName: "outbound_.9080_._.reviews.default.svc.cluster.local",
  remoteAddress: "10.200.0.1",
  request: {
    method: "GET",
    path: "/api/v1/others/17?page=2",
    authority: "reviews.default.svc.cluster.local:9080",
    scheme: "http",
    headers: ["user-agent", "curl/8", "accept", "*/*", "x-request-id", "c1", "x-team", "team-x", "x-b3-sampled", "1"],
    dynamicMetadata: { "envoy.filters.http.jwt_authn": { payload: { iss: "me", sub: "you", group: ["a", "b"] } } },
  },
});
