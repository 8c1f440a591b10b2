import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { Answer } from "../harness/call.ts";

export const subsets = (trafficPolicy = "") => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec:
  host: reviews${
    trafficPolicy &&
    `
  trafficPolicy: ${trafficPolicy}`
  }
  subsets:
  - { name: v1, labels: { version: v1 } }
  - { name: v2, labels: { version: v2 } }
  - { name: v3, labels: { version: v3 } }`;

/** A VirtualService of `reviews` with these http routes, and its subsets. */
export const reviews = (http: string, trafficPolicy?: string) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:${http}
---${subsets(trafficPolicy)}`;

export const to = (subset: string) => `route: [{ destination: { host: reviews, subset: ${subset} } }]`;

/** A host whose calls on the port go to an application. */
export const entryTo = (app: string, host: string, port: number) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: to-${app}, namespace: default }
spec:
  hosts: [${host}]
  resolution: STATIC
  ports: [{ number: ${port}, name: http, protocol: HTTP }]
  workloadSelector: { labels: { app: ${app} } }`;

export const sidecarOfClient = (fields: string) => `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: client, namespace: default }
spec:
  workloadSelector: { labels: { app: client } }
  ${fields}`;

/** An AuthorizationPolicy for `ratings`. */
export const guard = (name: string, spec: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: default }
spec: ${spec.replace("{ ", "{ selector: { matchLabels: { app: ratings } }, ")}`;

export const large = "0123456789abcdef".repeat(80_000);

export const sameBody =
  (body: string) =>
  ([answer]: Answer[]): void => {
    expect(answer?.echo?.bodyBytes).toBe(body.length);
    expect(answer?.echo?.bodyHash).toBe(createHash("sha256").update(body).digest("hex"));
  };

export const sized =
  (bytes: number) =>
  (answers: Answer[]): void =>
    expect(answers.map(({ body }) => body.length)).toEqual(answers.map(() => bytes));
