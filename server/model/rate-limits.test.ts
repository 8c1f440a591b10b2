import { expect, test } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { buildMesh } from "./mesh.ts";
import { portLimits, serviceLimits } from "./rate-limits.ts";

const service = (namespace: string) => `
apiVersion: v1
kind: Service
metadata: { name: shop, namespace: ${namespace} }
spec: { selector: { app: shop }, ports: [{ name: http, port: 80 }, { name: http-admin, port: 81 }, { name: tcp, port: 90 }] }
`;
const limit = (name: string, age: number, spec: string) => `
apiVersion: limpid.dev/v1alpha1
kind: RateLimit
metadata: { name: ${name}, namespace: default, creationTimestamp: "2026-01-0${age}T00:00:00Z" }
spec: { host: shop, ${spec} }
`;

function meshOf(...yaml: string[]) {
  const parsed = parseDocuments(yaml.join("---"));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return buildMesh(parsed.value, 1);
}

const both =
  "local: { requests: 5, per: 1s }, global: { requests: 9, unit: hour, by: [{ header: X-User }, { remoteAddress: {} }] }";

test("the oldest of a port counts, of the own namespace, and TCP has none", () => {
  const mesh = meshOf(
    service("default"),
    service("other"),
    limit("young", 2, "local: { requests: 1, per: 1s }"),
    limit("old", 1, `port: 81, ${both}`),
  );
  const found = [...portLimits(mesh).values()].map(({ hostname, port, spec }) => [
    hostname,
    port,
    spec.local?.requests,
  ]);
  expect(found.sort()).toEqual([
    ["shop.default.svc.cluster.local", 80, 1],
    ["shop.default.svc.cluster.local", 81, 5],
  ]);
});

test("global limits are descriptors of the rate limit service", () => {
  const mesh = meshOf(service("default"), limit("old", 1, `port: 80, ${both}`));
  const rate_limit = { unit: "hour", requests_per_unit: 9 };
  expect(serviceLimits(mesh)).toEqual({
    domain: "limpid.services",
    descriptors: [
      {
        key: "service",
        value: "shop.default.svc.cluster.local:80",
        descriptors: [{ key: "x-user", descriptors: [{ key: "remote_address", rate_limit }] }],
      },
    ],
  });
  expect(serviceLimits(mesh)).toBe(serviceLimits(mesh));
});

test.each([
  ["", "set one of local, global, or all"],
  ["global: { requests: 1, unit: fortnight }", "unit"],
  ["global: { requests: 1, unit: hour, by: [{}] }", "set one of header, remoteAddress"],
  ["local: { requests: 1, per: soon }", "must be a duration"],
])("%j is refused", (spec, why) => {
  expect(() => meshOf(limit("a", 1, spec))).toThrow(why);
});
