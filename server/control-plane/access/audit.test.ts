import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Deed } from "../../access/audit.ts";
import { type Caller, machineCaller } from "../../access/caller.ts";
import { openCertificateAuthority } from "../../ca/certificate-authority.ts";
import { DashboardError, type Grant, type KnownProxy, type MeshService } from "../../contract/index.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { type ApiHarness, reviews, startApi } from "../api/testing/api-harness.ts";
import { createIdentities } from "../identity/identities.ts";
import { apiCallers } from "./api-callers.ts";

const people: Record<string, Grant[]> = {
  vera: [{ role: "viewer", namespace: "*" }],
  otto: [{ role: "operator", namespace: "other" }],
  ada: [{ role: "administrator", namespace: "*" }],
};

const [core, group] = ["/api/:version", "/apis/:group/:version"];
const [inCore, inGroup] = [core, group].map((base) => `${base}/namespaces/:namespace/:plural`);
const services = "/api/v1/namespaces/shop/services";
const rules = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices";
const meshConfigs = "/apis/limpid.dev/v1alpha1/meshconfigs";

const service = (name: string, port = 80) => ({ metadata: { name }, spec: { ports: [{ name: "http", port }] } });
const rule = (name: string) => reviews({ v1: 100 }, name, "shop");
const labelled = (value: string) => ({ metadata: { labels: { a: value } } });
const meshConfig = (spec: object = {}) => ({ metadata: { name: "default" }, spec });
const moved = { apiVersion: "v1", kind: "Service", ...service("moved") };
const fault = {
  namespace: "shop",
  service: "web",
  delay: null,
  abort: { percentage: 1, httpStatus: 503 },
  header: null,
};
const canary = { service: { name: "web" }, from: "v1", to: "v2", steps: [{ weight: 10, hold: "1h" }] };
const identity = { spiffeUri: "spiffe://cluster.local/ns/shop/sa/web" };

/** What stands in a path for what is known only when it is there. */
const newest = { faults: "<fault>", changes: "<change>", tokens: "<token>" };

/** Every write of the API once as it goes through, each where it finds what it needs. */
const writes: [route: string, path: string, body?: object][] = [
  [`POST ${core}/:plural`, "/api/v1/namespaces", { metadata: { name: "brief" } }],
  [`PUT ${core}/:plural/:name`, "/api/v1/namespaces/brief", { metadata: { name: "brief", labels: { a: "b" } } }],
  [`PATCH ${core}/:plural/:name`, "/api/v1/namespaces/brief", labelled("c")],
  [
    `PUT ${core}/:plural/:name/status`,
    "/api/v1/namespaces/brief/status",
    { metadata: { name: "brief" }, status: { a: 1 } },
  ],
  [`PATCH ${core}/:plural/:name/status`, "/api/v1/namespaces/brief/status", { status: { a: 2 } }],
  [`DELETE ${core}/:plural/:name`, "/api/v1/namespaces/brief"],
  [`POST ${inCore}`, services, service("one")],
  [`PUT ${inCore}/:name`, `${services}/one`, service("one", 81)],
  [`PATCH ${inCore}/:name`, `${services}/one`, labelled("b")],
  [`PUT ${inCore}/:name/status`, `${services}/one/status`, { ...service("one"), status: { a: 1 } }],
  [`PATCH ${inCore}/:name/status`, `${services}/one/status`, { status: { a: 2 } }],
  [`DELETE ${inCore}/:name`, `${services}/one`],
  [`POST ${group}/:plural`, meshConfigs, meshConfig()],
  [`PUT ${group}/:plural/:name`, `${meshConfigs}/default`, meshConfig({ accessLogFile: "/dev/stdout" })],
  [`PATCH ${group}/:plural/:name`, `${meshConfigs}/default`, labelled("b")],
  [`PUT ${group}/:plural/:name/status`, `${meshConfigs}/default/status`, { ...meshConfig(), status: { a: 1 } }],
  [`PATCH ${group}/:plural/:name/status`, `${meshConfigs}/default/status`, { status: { a: 2 } }],
  [`DELETE ${group}/:plural/:name`, `${meshConfigs}/default`],
  [`POST ${inGroup}`, rules, rule("one")],
  [`PUT ${inGroup}/:name`, `${rules}/one`, { ...rule("one"), metadata: { name: "one", labels: { a: "a" } } }],
  [`PATCH ${inGroup}/:name`, `${rules}/one`, labelled("b")],
  [`PUT ${inGroup}/:name/status`, `${rules}/one/status`, { ...rule("one"), status: { a: 1 } }],
  [`PATCH ${inGroup}/:name/status`, `${rules}/one/status`, { status: { a: 2 } }],
  [`DELETE ${inGroup}/:name`, `${rules}/one`],
  [
    "PUT /limpid/v1/services/:namespace/:name/routing/weights",
    "/limpid/v1/services/shop/web/routing/weights",
    { rule: 0, weights: { v1: 90, v2: 10 }, resourceVersion: null },
  ],
  ["POST /limpid/v1/faults", "/limpid/v1/faults", { ...fault, durationSec: 60 }],
  ["DELETE /limpid/v1/faults/:namespace/:virtualService/:id", `/limpid/v1/faults/${newest.faults}`],
  ["POST /limpid/v1/canaries", "/limpid/v1/canaries", { namespace: "shop", name: "web", spec: canary }],
  ["POST /limpid/v1/canaries/:namespace/:name/:action", "/limpid/v1/canaries/shop/web/pause", {}],
  ["POST /limpid/v1/transactions", "/limpid/v1/transactions", { writes: [{ op: "put", object: moved }] }],
  ["POST /limpid/v1/changes/:revision/undo", `/limpid/v1/changes/${newest.changes}/undo`, {}],
  ["DELETE /limpid/v1/proxies/:id", "/limpid/v1/proxies/gone"],
  ["POST /limpid/v1/join-tokens", "/limpid/v1/join-tokens", { namespace: "shop", serviceAccount: "web" }],
  ["DELETE /limpid/v1/join-tokens/:id", `/limpid/v1/join-tokens/${newest.tokens}`],
  ["POST /limpid/v1/certificates/revoke", "/limpid/v1/certificates/revoke", identity],
  ["POST /limpid/v1/certificates/restore", "/limpid/v1/certificates/restore", identity],
  [`DELETE ${inGroup}`, rules],
  [`DELETE ${group}/:plural`, "/apis/networking.istio.io/v1/destinationrules"],
  [`DELETE ${inCore}`, services],
  [`DELETE ${core}/:plural`, "/api/v1/services"],
  ["POST /limpid/v1/mesh/restore", "/limpid/v1/mesh/restore?revision=<start>", {}],
];
/** What is no part of the config, or not alone, and what it is called. */
const named: Readonly<Record<string, string>> = {
  "POST /limpid/v1/join-tokens": "join-token.create",
  "DELETE /limpid/v1/join-tokens/:id": "join-token.delete",
  "POST /limpid/v1/certificates/revoke": "identity.revoke",
  "POST /limpid/v1/certificates/restore": "identity.restore",
  "DELETE /limpid/v1/proxies/:id": "proxy.forget",
};
/** Come as a POST and write nothing. */
const asks = /^POST \/(?:apis\/(?:authorization|authentication)\.k8s\.io\/|limpid\/v1\/proxy-starts$)/;

const web: MeshService = {
  namespace: "shop",
  name: "web",
  hostname: "web.shop.svc.cluster.local",
  external: false,
  ports: [{ name: "http", port: 80, protocol: "HTTP" }],
  versions: ["v1", "v2"].map((version) => ({ version, subset: null, workloads: [`web-${version}`], endpoints: [] })),
  virtualServices: [],
  destinationRules: [],
};

describe("every write of the config API", () => {
  let api: ApiHarness;
  const folder = mkdtempSync(join(tmpdir(), "limpid-audit-"));
  const deeds: Deed[] = [];
  let start = 0;
  let known = [{ id: "gone" }] as KnownProxy[];

  beforeAll(async () => {
    const authority = await openCertificateAuthority(folder, { clock, trustDomain: "cluster.local" });
    const identities = createIdentities(authority, clock);
    const bearer = async (name: string): Promise<Caller> => {
      const grants = people[name];
      if (!grants) throw new DashboardError({ code: "UNAUTHENTICATED", message: "no such token" });
      return { ...machineCaller(name), way: "token", grants };
    };
    api = await startApi({
      callers: apiCallers({ bearer }),
      note: async (deed) => void deeds.push(deed),
      services: async () => [web],
      proxies: {
        list: () => known,
        forget(id) {
          known = known.filter((proxy) => proxy.id !== id);
          return "forgotten";
        },
      },
      identities: { ...identities, revoke: (uri, reason) => identities.register.revoke(uri, reason) },
    });
    for (const name of ["shop", "elsewhere", "other", "istio-system"])
      await api.call("POST", "/api/v1/namespaces", { metadata: { name } });
    for (const namespace of ["shop", "elsewhere"])
      await api.call("POST", `/api/v1/namespaces/${namespace}/services`, service("web"));
    start = await api.store.revision();
  });
  afterAll(async () => {
    await api.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const routes = () =>
    api.routes.map(({ method, pattern }) => `${method} ${pattern}`).filter((route) => !/^GET /.test(route));

  /** The status of a try, and what was written down of it. */
  async function attempt(who: string, route: string, path: string, body: object | undefined) {
    const [method = ""] = route.split(" ");
    const isReplaced = method === "PUT" && !path.startsWith("/limpid/");
    const sent = isReplaced && body ? await overwriting(path, body) : body;
    deeds.length = 0;
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { authorization: `Bearer ${who}`, ...(body && { "content-type": type }) };
    const { status } = await api.call(method, path, sent, headers);
    return { status, deeds: [...deeds] };
  }

  /** A replacement says what it replaces. */
  const overwriting = async (path: string, body: { metadata?: object }): Promise<object> => {
    const { resourceVersion } = (await api.call("GET", path)).body.metadata;
    return { ...body, metadata: { ...body.metadata, resourceVersion } };
  };

  const resolved = async (asked: string): Promise<string> => {
    const path = asked.replace("<start>", String(start));
    const [found] = Object.entries(newest).filter(([, mark]) => path.includes(mark));
    if (found === undefined) return path;
    const [list, mark] = found;
    const { body } = await api.call("GET", `/limpid/v1/${list === "tokens" ? "join-tokens" : list}`);
    const { id, revision } = body[list][0];
    return path.replace(mark, String(revision ?? id));
  };

  it("is tried here, each once", () => {
    expect(writes.map(([route]) => route).toSorted()).toEqual(
      routes()
        .filter((route) => !asks.test(route))
        .toSorted(),
    );
  });

  it("is in the audit when it is refused, and when it is done: who, what, and the difference", async () => {
    const wrong: unknown[] = [];
    for (const [route, asked, body] of writes) {
      const [method = "", pattern = ""] = route.split(" ");
      const path = await resolved(asked);
      const [target = ""] = path.split("?");
      for (const who of ["nobody", "vera", "otto"]) {
        const { status, deeds } = await attempt(who, route, path, body);
        const [deed, ...more] = deeds;
        const said = {
          actor: who === "nobody" ? "" : who,
          way: who === "nobody" ? "" : "token",
          address: "127.0.0.1",
          action: named[route] ?? `${method} config`,
          target,
          result: "refused",
        };
        const isSaid = deed && Object.entries(said).every(([key, value]) => deed[key as keyof Deed] === value);
        if (status !== (who === "nobody" ? 401 : 403) || !isSaid || more.length > 0)
          wrong.push([route, who, status, deeds]);
      }
      const { status, deeds } = await attempt("ada", route, path, body);
      const isMeshs = /^\/limpid\/v1\/(?:join-tokens|proxies)/.test(pattern);
      const [deed, ...more] = deeds;
      const isDone = deed?.actor === "ada" && deed.way === "token" && deed.result === "done";
      const isSaid = isMeshs ? deed?.action === named[route] && deed?.target === path : deed?.action === "config.write";
      const isDiff = isMeshs || /^[-+]/m.test(deed?.diff ?? "");
      if (status >= 300 || !isDone || !isSaid || !isDiff || more.length > 0) wrong.push([route, "ada", status, deeds]);
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  it("is not in the audit when it only asks", async () => {
    for (const route of routes().filter((one) => asks.test(one))) {
      const path = route.replace("POST ", "").replace(":namespace", "shop");
      expect([
        route,
        (await attempt("vera", route, path, { spec: {} })).deeds.filter(({ result }) => result === "done"),
      ]).toEqual([route, []]);
    }
  });
});
