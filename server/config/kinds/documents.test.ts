import { expect, test } from "vitest";
import { parseDocuments } from "./documents.ts";

const places = (text: string) => {
  const result = parseDocuments(text);
  return result.ok ? [] : result.errors.map((error) => [error.document, error.line, error.path]);
};
const names = (text: string) => {
  const result = parseDocuments(text);
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.value.map((object) => `${object.kind}/${object.metadata.name}`);
};

test("reads documents of the shape of Bookinfo's samples", () => {
  const text = `
# a comment, then two objects
apiVersion: networking.istio.io/v1
kind: Gateway
metadata:
  name: shop-gateway
spec:
  selector:
    istio: ingressgateway # the default controller
  servers:
  - port: {number: 8080, name: http, protocol: HTTP}
    hosts:
    - "*"
---
apiVersion: networking.istio.io/v1beta1
kind: VirtualService
metadata:
  name: shop
spec:
  hosts:
  - "*"
  gateways:
  - shop-gateway
  http:
  - match:
    - uri: {exact: /cart}
    - uri: {prefix: /static}
    route:
    - destination:
        host: cart
        port:
          number: 9080
---
---
apiVersion: networking.istio.io/v1alpha3
kind: ServiceEntry
metadata: {name: maps}
spec:
  hosts: [maps.example.com]
  ports:
  - {number: 443, name: https, protocol: HTTPS}
  resolution: DNS
---
`;
  expect(names(text)).toEqual(["Gateway/shop-gateway", "VirtualService/shop", "ServiceEntry/maps"]);
});

test("reads lists, and JSON", () => {
  const ns = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  expect(names(JSON.stringify(ns("a")))).toEqual(["Namespace/a"]);
  expect(names(JSON.stringify({ apiVersion: "v1", kind: "List", items: [ns("a"), ns("b")] }))).toEqual([
    "Namespace/a",
    "Namespace/b",
  ]);
  expect(names(JSON.stringify({ apiVersion: "v1", kind: "NamespaceList", items: [] }))).toEqual([]);
  expect(names("")).toEqual([]);
});

test("resolves anchors and merge keys", () => {
  const text = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: a}
spec:
  host: a
  subsets:
  - &one {name: v1, labels: {version: v1}}
  - {<<: *one, name: v2}
`;
  const result = parseDocuments(text);
  expect(result.ok && result.value[0]?.spec.subsets).toEqual([
    { name: "v1", labels: { version: "v1" } },
    { labels: { version: "v1" }, name: "v2" },
  ]);
});

test("gives every error of every document its place", () => {
  const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: a
  labels:
    app.kubernetes.io/name: "x y"
spec:
  hosts: [a]
  http:
  - route:
    - destination:
        host: a
      weight: 5
    - destination:
        host: b
        subst: v1
    timeout: 5
---
kind: Gatway
apiVersion: networking.istio.io/v1
---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: a}
  spec:
    ports:
    - port: 0
---
a: b: c
`;
  expect(places(text)).toEqual([
    [1, 6, 'metadata.labels["app.kubernetes.io/name"]'],
    [1, 16, "spec.http[0].route[1].destination.subst"],
    [1, 17, "spec.http[0].timeout"],
    [2, 19, "kind"],
    [3, 30, "items[0].spec.ports[0].port"],
    [4, 32, ""],
  ]);
  const result = parseDocuments(text);
  expect(!result.ok && result.errors[1]?.message).toBe("unknown field; did you mean subset? (document 1, line 16)");
});

test("refuses duplicate keys, bombs of aliases and what is no object", () => {
  expect(places("kind: a\nkind: b\n")).toEqual([[1, 2, ""]]);
  expect(places("- a\n- b\n")).toEqual([[1, 1, ""]]);
  expect(places("just text")).toEqual([[1, 1, ""]]);
  const bomb = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
  for (let level = 1; level < 10; level++)
    bomb.push(
      `a${level}: &a${level} [${Array(10)
        .fill(`*a${level - 1}`)
        .join(",")}]`,
    );
  expect(places(bomb.join("\n"))).toHaveLength(1);
  expect(places("x".repeat(17 * 1024 * 1024))).toEqual([[1, 1, ""]]);
  expect(places("[".repeat(20_000))).not.toEqual([]);
});
