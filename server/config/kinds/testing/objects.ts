import { expect, test } from "vitest";
import type { ConfigObject } from "../../object.ts";
import { parseObject } from "../index.ts";

export type Spec = Record<string, unknown>;
export const object = (
  kind: string,
  spec: unknown,
  metadata: Spec = { name: "reviews" },
  apiVersion = "networking.istio.io/v1",
) => ({
  apiVersion: kind === "Service" || kind === "Namespace" ? "v1" : apiVersion,
  kind,
  metadata,
  spec,
});
export const errorsOf = (input: unknown): string[] => {
  const result = parseObject(input);
  return result.ok ? [] : result.errors.map((error) => `${error.path}: ${error.message}`);
};
/** Errors that pages in other languages have no word for. */
export const wordless = (input: unknown): string[] => {
  const result = parseObject(input);
  return result.ok ? [] : result.errors.filter(({ reason }) => reason === undefined).map(({ message }) => message);
};
export const accepted = (input: unknown): ConfigObject => {
  const result = parseObject(input);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value;
};

export const route = [{ destination: { host: "reviews", subset: "v1" } }];
export const vs = (rule: Spec, more: Spec = {}) =>
  object("VirtualService", { hosts: ["reviews"], http: [{ route, ...rule }], ...more });
export const match = (condition: Spec) => vs({ match: [condition] });
export const dr = (trafficPolicy: Spec, more: Spec = {}) =>
  object("DestinationRule", { host: "reviews", trafficPolicy, ...more });
export const httpPort = { number: 80, name: "http", protocol: "HTTP" };
export const gw = (server: Spec) =>
  object("Gateway", { selector: { istio: "ingressgateway" }, servers: [{ port: httpPort, hosts: ["*"], ...server }] });
export const se = (spec: Spec) =>
  object("ServiceEntry", { hosts: ["api.example.com"], ports: [httpPort], resolution: "DNS", ...spec });
export const we = (spec: Spec) => object("WorkloadEntry", { address: "127.0.1.3", ...spec });
export const svc = (spec: Spec) => object("Service", { ports: [{ port: 9080, name: "http" }], ...spec });

/** Each is taken, and its spec kept word for word. */
export const keepsAsWritten = (rows: readonly [string, unknown][]): void =>
  test.each(rows)("%s", (_name, input) => {
    const plain = JSON.parse(JSON.stringify(input)) as ConfigObject;
    expect(JSON.stringify(accepted(input).spec)).toBe(JSON.stringify(plain.spec));
  });

/** Each is refused with these errors, of which the beginnings are given, each of a kind that pages have words for. */
export const refusesByPath = (rows: readonly [string, unknown, string[]][]): void =>
  test.each(rows)("%s", (_name, input, expected) => {
    const errors = errorsOf(input);
    expect(wordless(input)).toEqual([]);
    expect(errors).toEqual(
      expected.map((start) => expect.stringMatching(new RegExp(`^${start.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`))),
    );
  });
