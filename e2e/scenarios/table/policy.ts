import { expect } from "vitest";
import type { Scenario } from "../scenario.ts";
import { guard } from "./documents.ts";

export const policy: Scenario[] = [
  {
    name: "an AuthorizationPolicy denies before another allows",
    config: `${guard("deny", `{ action: DENY, rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] }`)}
---${guard("allow", `{ rules: [{ to: [{ operation: { methods: [GET] } }], when: [{ key: "request.headers[x-team]", values: [blue] }] }] }`)}`,
    steps: [
      {
        call: { host: "ratings:9080", path: "/ok", headers: { "x-team": "blue" } },
        expect: { status: 200, upstream: { app: "ratings" } },
      },
      { call: { host: "ratings:9080", path: "/ok" }, expect: { status: 403, body: "RBAC: access denied" } },
      { call: { host: "ratings:9080", path: "/admin/x", headers: { "x-team": "blue" } }, expect: { status: 403 } },
      {
        call: { host: "ratings:9080", path: "/ok", method: "POST", headers: { "x-team": "blue" } },
        expect: { status: 403 },
      },
      { call: {}, expect: { status: 200, upstream: { app: "reviews" } } },
    ],
  },
  {
    name: "an AuthorizationPolicy knows callers by their certificates",
    config: `${guard("clients", `{ rules: [{ from: [{ source: { principals: ["cluster.local/ns/default/sa/client"] } }] }] }`)}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ratings, namespace: default }
spec: { host: ratings, trafficPolicy: { tls: { mode: ISTIO_MUTUAL } } }`,
    steps: [{ call: { host: "ratings:9080" }, expect: { status: 200, upstream: { app: "ratings" } } }],
    after: async (mesh) => expect((await mesh.callServer({ path: "/in-plain-text" })).status).toBe(403),
  },
];
