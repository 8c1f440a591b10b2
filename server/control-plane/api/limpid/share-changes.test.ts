import { describe, expect, it } from "vitest";
import { keyOf } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import { deadShares } from "../../../contract/index.ts";
import { buildMesh } from "../../../model/mesh.ts";
import { objectsOf } from "../../../translate/testing/cases.ts";
import { shareChanges } from "./share-changes.ts";

const entry = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: echo, namespace: default }
spec:
  hosts: [echo.shop.test]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP }, { number: 3306, name: tcp, protocol: TCP }]
  endpoints:
    - { address: 127.0.0.1, labels: { version: v1 } }
    - { address: 127.0.0.2, labels: { version: v2 } }
`;
const subsets = (...names: string[]) => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: echo, namespace: default }
spec: { host: echo.shop.test, subsets: [${names.map((name) => `{ name: ${name}, labels: { version: ${name} } }`).join(", ")}] }
`;
const route = (spec: string, gateways = "[mesh]", name = "echo", namespace = "default") => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: ${namespace} }
spec: { hosts: [echo.shop.test], gateways: ${gateways}, ${spec} }
`;
const to = (subset: string) => `route: [{ destination: { host: echo.shop.test, subset: ${subset} } }]`;
const gateway = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: door, namespace: default }
spec: { selector: { istio: gateway }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
`;

/** What a change from one mesh to another does. */
function changed(before: string[], after: string[]) {
  const [old, next] = [objectsOf(before.join("---")), objectsOf(after.join("---"))];
  const keys = new Set([...old, ...next].map((one) => JSON.stringify(keyOf(one))));
  const find = (objects: typeof old, key: string) => objects.find((one) => JSON.stringify(keyOf(one)) === key);
  const changes = [...keys].flatMap((key): ConfigChange[] => {
    const [was, is] = [find(old, key), find(next, key)];
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    const type = was === undefined ? "ADDED" : is === undefined ? "DELETED" : "MODIFIED";
    return [{ type, key: JSON.parse(key), ...(was && { before: was }), ...(is && { after: is }) } as ConfigChange];
  });
  return shareChanges(changes, buildMesh(old, 1), [{ namespace: "default", labels: { istio: "gateway" } }]);
}

const dead = (before: string[], after: string[]) =>
  deadShares({ shares: changed(before, after) }).map(({ virtualService, list, hostname, subset, lost }) => ({
    virtualService,
    list,
    hostname,
    subset,
    lost,
  }));

const host = "echo.shop.test";
const echo = "default/echo";

describe("what a change sends nowhere", () => {
  it("is a share of a subset that nobody is in, of requests and of connections", () => {
    const base = [entry, subsets("v1", "v3")];
    const http = (subset: string) => route(`http: [{ ${to(subset)} }]`);
    const tcp = (subset: string) => route(`tcp: [{ match: [{ port: 3306 }], ${to(subset)} }]`);
    expect(dead([...base, http("v1")], [...base, http("v3")])).toMatchObject([{ list: "http", subset: "v3" }]);
    expect(dead([...base, tcp("v1")], [...base, tcp("v3")])).toMatchObject([{ list: "tcp", subset: "v3" }]);
    expect(dead([...base, http("v3")], [...base, http("v1")])).toEqual([]);
  });

  it("is nothing of connections that go where they went: by the first rules of their port, or past them", () => {
    const tls = entry.replaceAll("tcp, protocol: TCP", "tls, protocol: TLS");
    const named = (more = "") => route(`tls: [{ match: [{ port: 3306, sniHosts: [${host}]${more} }], ${to("v1")} }]`);
    const base = [tls, subsets("v1", "v2")];
    expect(dead(base, [...base, named()])).toEqual([]);
    const one = named(", sourceLabels: { app: one }");
    expect(dead(base, [...base, one]), "others are left without a rule").toMatchObject([
      { list: "tls", lost: "route" },
    ]);
    const plain = [entry, subsets("v1", "v2")];
    const onPort = (port: number) => route(`tcp: [{ match: [{ port: ${port} }], ${to("v1")} }]`);
    expect(dead(plain, [...plain, onPort(3306)])).toEqual([]);
    expect(dead([...plain, onPort(3306)], [...plain, onPort(3307)])).toEqual([]);
  });

  it("is a share that stays when the rule of subsets goes, or its subset, or the labels that it stands for", () => {
    const routed = route(`http: [{ ${to("v1")} }]`);
    const lost = [{ virtualService: echo, list: "http", hostname: host, subset: "v1", lost: "endpoints" }];
    expect(dead([entry, subsets("v1"), routed], [entry, routed])).toEqual(lost);
    expect(dead([entry, subsets("v1"), routed], [entry, subsets("v2"), routed])).toEqual(lost);
    expect(dead([entry, subsets("v1", "v2"), routed], [entry, subsets("v1"), routed])).toEqual([]);
  });

  it("is nothing of a rule that sidecars don't follow: another of its host goes before it", () => {
    const base = [entry, subsets("v1", "v3")];
    const rule = (name: string, subset: string) => route(`http: [{ ${to(subset)} }]`, "[mesh]", name);
    expect(changed([...base, rule("a", "v1")], [...base, rule("a", "v1"), rule("b", "v3")])).toEqual([]);
    expect(changed([...base, rule("a", "v1"), rule("b", "v3")], [...base, rule("a", "v1")])).toEqual([]);
    // It comes into force when the one before it goes, or gives way.
    const lost = [{ subset: "v1", before: 100, after: 0 }];
    const gained = { subset: "v3", before: 0, after: 100, endpoints: 0 };
    expect(changed([...base, rule("a", "v1"), rule("b", "v3")], [...base, rule("b", "v3")])).toMatchObject([
      ...lost,
      gained,
    ]);
    expect(changed([...base, rule("b", "v1")], [...base, rule("b", "v1"), rule("a", "v3")])).toMatchObject([
      ...lost,
      gained,
    ]);
  });

  it("is what a delegate does to the requests of its roots, told where it is written", () => {
    const part = (http: string, more = "") => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: part, namespace: team }
spec: { ${more} http: [${http}] }
`;
    const root = route(
      `http: [{ ${to("v1")}, match: [{ uri: { prefix: /own } }] }, { delegate: { name: part, namespace: team } }]`,
    );
    const base = [entry, subsets("v1", "v2", "v3"), root];
    const limited = `match: [{ uri: { prefix: /own } }], ${to("v2")}`;
    const moved = changed(
      [...base, part(`{ ${limited} }, { ${to("v1")} }`)],
      [...base, part(`{ ${limited} }, { ${to("v3")} }`)],
    );
    expect(moved).toMatchObject([
      { virtualService: "team/part", rule: 1, subset: "v1", before: 100, after: 0 },
      { virtualService: "team/part", rule: 1, subset: "v3", before: 0, after: 100, endpoints: 0 },
    ]);
    // Gone, it leaves its requests without a rule.
    const lost = [{ virtualService: "team/part", list: "http", hostname: host, subset: "v1", lost: "route" }];
    expect(dead([...base, part(`{ ${to("v1")} }`)], base)).toEqual(lost);
    expect(dead([...base, part(`{ ${to("v1")} }`)], [...base, part(`{ ${to("v1")} }`, 'exportTo: ["."],')])).toEqual(
      lost,
    );
    // Nobody delegates to it.
    expect(changed([entry, subsets("v1")], [entry, subsets("v1"), part(`{ ${to("v1")} }`)])).toEqual([]);
    // Its subset goes: it stays as it is written, and so does its root.
    const delegated = part(`{ ${to("v2")} }`);
    expect(dead([...base, delegated], [entry, subsets("v1"), root, delegated])).toEqual([
      { virtualService: "team/part", list: "http", hostname: host, subset: "v2", lost: "endpoints" },
    ]);
  });

  it("is what clients are moved to and from by a VirtualService of another namespace, with whose they are", () => {
    const base = [entry, subsets("v1", "v2")];
    const own = route(`http: [{ ${to("v1")} }]`);
    const theirs = (more = "") => route(`${more}http: [{ ${to("v2")} }]`, "[mesh]", "taker", "team");
    const move = [
      { hostname: host, subset: "v1", before: 100, after: 0 },
      { hostname: host, subset: "v2", before: 0, after: 100 },
    ];
    const clients = (who: string) => move.map((share) => ({ ...share, clients: who }));
    // The one that went before it goes, for everybody alike.
    expect(changed([...base, own, theirs()], [...base, theirs()])).toMatchObject(move);
    expect(changed([...base, own, theirs()], [...base, theirs()]).every((share) => !share.clients)).toBe(true);
    // It comes for the clients of its own namespace alone, or for those of another by name.
    expect(changed([...base, own], [...base, own, theirs("exportTo: [.], ")])).toMatchObject(move);
    expect(changed([...base, own], [...base, own, theirs("exportTo: [default], ")])).toMatchObject(clients("default"));
    expect(changed([...base, own, theirs("exportTo: [default], ")], [...base, own])).toMatchObject([
      { subset: "v2", before: 100, after: 0, clients: "default" },
      { subset: "v1", before: 0, after: 100, clients: "default" },
    ]);
    // One that comes after it moves nobody; who sees it is changed, and nothing else.
    expect(changed([...base, own], [...base, own, theirs()])).toEqual([]);
    expect(changed([...base, own, theirs()], [...base, own, theirs("exportTo: [default], ")])).toMatchObject(
      clients("default"),
    );
  });

  it("means the hosts of either rule as its namespace does", () => {
    const base = [entry, subsets("v1", "v2"), route(`http: [{ ${to("v1")} }]`, "[mesh]", "taker", "team")];
    const own = route("http: [{ route: [{ destination: { host: nobody } }] }]");
    expect(changed([...base, own], base)).toMatchObject([
      { hostname: "nobody.default.svc.cluster.local", before: 100, after: 0 },
      { hostname: host, subset: "v1", before: 0, after: 100, endpoints: 2 },
    ]);
  });

  it("is a service that loses its endpoints, told with its rule where there is one", () => {
    expect(dead([entry], [])).toMatchObject([{ virtualService: "", hostname: host, lost: "service" }]);
    const routed = route("http: [{ route: [{ destination: { host: echo.shop.test } }] }]");
    expect(dead([entry, routed], [routed])).toMatchObject([{ virtualService: echo, lost: "endpoints" }]);
  });

  it("is a rule's requests that no other rule takes", () => {
    const [all, some] = [`{ ${to("v1")} }`, `{ match: [{ uri: { prefix: /a } }], ${to("v2")} }`];
    const base = [entry, subsets("v1", "v2")];
    const rules = (...each: string[]) => [...base, route(`http: [${each.join(", ")}]`)];
    expect(dead(rules(some, all), rules(some))).toMatchObject([{ subset: "v1", lost: "route" }]);
    expect(dead(rules(some, all), rules(all))).toEqual([]);
  });

  it("is what enters by a gateway whose VirtualService goes, unless another takes it", () => {
    const entrance = (name: string) => route(`http: [{ ${to("v1")} }]`, "[door]", name);
    const base = [entry, subsets("v1"), gateway];
    expect(dead([...base, entrance("echo")], base)).toMatchObject([{ virtualService: echo, lost: "route" }]);
    expect(dead([...base, entrance("a"), entrance("b")], [...base, entrance("b")])).toEqual([]);
  });

  it("is what enters by a gateway that goes", () => {
    const base = [entry, subsets("v1"), route(`http: [{ ${to("v1")} }]`, "[door]")];
    expect(dead([...base, gateway], base)).toMatchObject([
      { virtualService: echo, hostname: "default/door", lost: "gateway" },
    ]);
  });

  it("is nothing of the kind when a VirtualService for the mesh goes: the service gets its requests", () => {
    const base = [entry, subsets("v1")];
    expect(dead([...base, route(`http: [{ ${to("v1")} }]`)], base)).toEqual([]);
  });
});

describe("whose requests a change moves", () => {
  it("is told by the conditions of a rule, also in parts", () => {
    const base = [entry, subsets("v1", "v2")];
    const all = `{ ${to("v1")} }`;
    const preview = `{ match: [{ headers: { x-preview: { exact: v2 } } }], ${to("v2")} }`;
    const moved = changed([...base, route(`http: [${all}]`)], [...base, route(`http: [${preview}, ${all}]`)]);
    const told = { name: "x-preview", value: "v2" };
    expect(moved).toMatchObject(
      [
        { rule: 0, subset: "v2", before: 0, after: 100, conditions: [[told]] },
        { rule: 0, subset: "v1", before: 100, after: 0, conditions: [[told]] },
      ].toSorted((a, b) => a.subset.localeCompare(b.subset)),
    );
    expect(moved.every(({ matches }) => matches.length === 1)).toBe(true);
  });
});
