import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Issuer } from "../../server/control-plane/testing/tokens.ts";
import { addresses, ScenarioMesh } from "./harness/mesh.ts";
import { envoyMissing, type ProxyKind, whySkipped } from "./harness/proxy.ts";
import { until } from "./harness/until.ts";

// Every field of an AuthorizationPolicy's rules, what it is and what it must not be, about one call by mutual TLS with a token.
// https://istio.io/latest/docs/reference/config/security/authorization-policy/, …/conditions/

const kinds: ProxyKind[] = ["limpid sidecar", "Envoy"];

type Part = "from" | "to" | "when";
/** For the part of a rule, a field with values that hold, and with values that don't: each also as its negation. */
type Row = readonly [part: Part, field: string, holds: readonly string[], not: readonly string[]];

const client = "cluster.local/ns/default/sa/client";
const principal = "https://issuer.test/me";
const negated = (field: string): string => `not${field.charAt(0).toUpperCase()}${field.slice(1)}`;

const rows = (port: number): Row[] => [
  ["from", "principals", [client], ["cluster.local/ns/default/sa/other"]],
  ["from", "principals", ["*/sa/client"], ["*/sa/clients"]],
  ["from", "principals", ["cluster.local/ns/default/*"], ["cluster.local/ns/def/*"]],
  ["from", "principals", ["*"], [""]],
  ["from", "namespaces", ["default"], ["defaults", "faul"]],
  ["from", "namespaces", ["def*"], ["*x"]],
  ["from", "serviceAccounts", ["default/client", "other"], ["shop/client", "other"]],
  ["from", "trustDomains", ["cluster.local"], ["other.local"]],
  ["from", "ipBlocks", ["127.0.0.0/8"], ["10.0.0.0/8", "::1"]],
  ["from", "remoteIpBlocks", ["127.0.0.0/8"], ["10.0.0.0/8"]],
  ["from", "requestPrincipals", [principal], ["https://issuer.test/you"]],
  ["from", "requestPrincipals", ["*/me", "no/one"], ["*/m"]],
  ["to", "hosts", ["ratings:9080"], ["reviews:9080"]],
  ["to", "hosts", ["RATINGS*"], ["*.ratings"]],
  ["to", "ports", [String(port)], [String(port - 1)]],
  ["to", "methods", ["GET"], ["POST", "GETS"]],
  ["to", "paths", ["/asked"], ["/asked/"]],
  ["to", "paths", ["/as*"], ["*/ask"]],
  ["to", "paths", ["/{*}"], ["/{*}/{*}"]],
  ["when", "request.headers[x-team]", ["blue"], ["red"]],
  ["when", "request.headers[x-team]", ["b*"], ["*b"]],
  ["when", "source.ip", ["127.0.0.0/8"], ["10.1.2.3"]],
  ["when", "remote.ip", ["127.0.0.0/8"], ["10.1.2.3"]],
  ["when", "source.namespace", ["default"], ["shop"]],
  ["when", "source.principal", [client], [`${client}s`]],
  ["when", "source.serviceAccount", ["default/client"], ["default/other"]],
  ["when", "source.trustDomain", ["cluster.local"], ["other.local"]],
  ["when", "request.auth.principal", [principal], ["https://issuer.test/"]],
  ["when", "request.auth.audiences", ["shop"], ["bank"]],
  ["when", "request.auth.presenter", ["web"], ["app"]],
  ["when", "request.auth.claims[groups]", ["dev"], ["de"]],
  ["when", "request.auth.claims[address][city]", ["Bern"], ["Basel"]],
  ["when", "destination.ip", [addresses.ratings], [addresses.client]],
  ["when", "destination.port", [String(port)], [String(port - 1)]],
  ["when", "connection.sni", ["outbound_.9080_._.ratings.default.svc.cluster.local"], ["ratings"]],
  ["when", "connection.sni", ["*.ratings.default.svc.cluster.local"], ["*.reviews.default.svc.cluster.local"]],
];

/** What a rule says of one field; the negation of one that holds does not. */
function saying(part: Part, field: string, values: readonly string[], isNegated: boolean): string {
  const list = JSON.stringify(values);
  if (part === "when") return `when: [{ key: "${field}", ${isNegated ? "notValues" : "values"}: ${list} }]`;
  const name = isNegated ? negated(field) : field;
  return part === "from" ? `from: [{ source: { ${name}: ${list} } }]` : `to: [{ operation: { ${name}: ${list} } }]`;
}

const policy = (name: string, rule: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: default }
spec: { selector: { matchLabels: { app: ratings } }, rules: [{ ${rule} }] }`;

/** A connection for each call: those of before know the policies of before, until they have drained. */
const mutual = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ratings, namespace: default }
spec: { host: ratings, trafficPolicy: { tls: { mode: ISTIO_MUTUAL }, connectionPool: { http: { maxRequestsPerConnection: 1 } } } }`;

const tokens = ({ jwks }: Issuer) => `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ratings, namespace: default }
spec: { selector: { matchLabels: { app: ratings } }, jwtRules: [{ issuer: "https://issuer.test", jwks: '${jwks}' }] }`;

for (const kind of kinds) {
  describe.skipIf(kind === "Envoy" && envoyMissing)(`rules of policies on ${kind}${whySkipped(kind)}`, () => {
    const issuer = new Issuer();
    const token = issuer.token({
      iss: "https://issuer.test",
      sub: "me",
      aud: ["api", "shop"],
      azp: "web",
      exp: Math.floor(Date.now() / 1000) + 3_600,
      groups: ["admin", "dev"],
      address: { city: "Bern" },
    });
    let mesh: ScenarioMesh;
    let asked = 0;
    beforeAll(async () => {
      mesh = await ScenarioMesh.start(kind);
    });
    afterAll(() => mesh?.close());

    const statusOf = async (path: string): Promise<number> => {
      const headers = { "x-team": "blue", authorization: `Bearer ${token}` };
      return (await mesh.call({ host: "ratings:9080", path, headers })).status;
    };
    /** The call's status where nothing but this rule lets it in. */
    const under = async (rule: string, status: 200 | 403): Promise<void> => {
      asked += 1;
      // Another policy lets a path in that no earlier one knew: by it is known that this configuration is the one in force.
      const marker = `/in-force/${asked}`;
      const config = [
        mutual,
        tokens(issuer),
        policy("rule", rule),
        policy("marker", `to: [{ operation: { paths: [${marker}] } }]`),
      ];
      await mesh.reset(config.join("\n---"));
      await until(async () => {
        for (let time = 0; time < 3; time++) {
          const seen = [await statusOf(marker), await statusOf("/asked?with=parameters")];
          expect(seen, rule).toEqual([200, status]);
        }
      });
    };

    it.each(rows(1).map(([part, field, holds], at) => [part, field, holds.join(", "), at] as const))(
      "%s %s: %s, what it is not, and both turned round",
      async (_part, _field, _holds, at) => {
        const [part, field, holds, not] = rows(mesh.ports.ratings)[at] ?? [];
        if (part === undefined || field === undefined || holds === undefined || not === undefined)
          throw new Error("no row");
        const others = not.filter((value) => value !== "");
        await under(saying(part, field, holds, false), 200);
        await under(saying(part, field, holds, true), 403);
        if (others.length === 0) return;
        await under(saying(part, field, others, false), 403);
        await under(saying(part, field, others, true), 200);
      },
    );
  });
}
