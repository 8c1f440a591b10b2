import type { ConfigObject } from "../../config/object.ts";
import { buildMesh, type Mesh } from "../../model/mesh.ts";
import type { RecordedCall } from "../recorded-call.ts";
import { type AdvisedWorkload, advisedWorkloads } from "../workload-proxy.ts";

export const meshOf = (...objects: ConfigObject[]): Mesh => buildMesh(objects, 1);

const labels = { app: "reviews", version: "v1" };

/** `default/reviews-v1`, which serves at 9080. */
export const reviews = advisedWorkloads(
  [
    {
      ...{ namespace: "default", name: "reviews-v1", app: "reviews", version: "v1", serviceAccount: "reviews", labels },
      ...{ services: [], endpoints: [{ address: "10.0.0.2", port: 9080 }], mtls: [] },
    },
  ],
  [],
)[0] as AdvisedWorkload;

export const identity = (account: string): string => `spiffe://cluster.local/ns/default/sa/${account}`;

/** GET /reviews/0 of productpage, but for what is given. */
export const call = (its: Partial<RecordedCall> = {}): RecordedCall => ({
  atMs: 1_700_000_000_000,
  caller: "default/productpage-v1",
  mtls: true,
  identity: identity("productpage"),
  destination: { namespace: "default", workload: "reviews-v1", address: "10.0.0.2" },
  port: 9080,
  protocol: "http",
  method: "GET",
  path: "/reviews/0",
  authority: "reviews:9080",
  code: 200,
  refused: false,
  details: "via_upstream",
  requestId: "r",
  traceId: "",
  ...its,
});

export const policy = (
  spec: Record<string, unknown>,
  its: { name?: string; annotations?: Record<string, string> } = {},
): ConfigObject => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { namespace: "default", name: its.name ?? "p", annotations: its.annotations ?? {} },
  spec,
});
