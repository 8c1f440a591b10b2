import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Caller, machineCaller } from "../../access/caller.ts";
import { DashboardError, type Grant } from "../../contract/index.ts";
import { type ApiHarness, startApi } from "../api/testing/api-harness.ts";
import { apiCallers } from "./api-callers.ts";

/** Who stands in which column. Namespaces of paths are `shop`. */
const people: Record<string, Grant[]> = {
  "viewer elsewhere": [{ role: "viewer", namespace: "elsewhere" }],
  viewer: [{ role: "viewer", namespace: "*" }],
  "operator elsewhere": [{ role: "operator", namespace: "elsewhere" }],
  "operator there": [{ role: "operator", namespace: "shop" }],
  operator: [{ role: "operator", namespace: "*" }],
  "administrator there": [{ role: "administrator", namespace: "shop" }],
  administrator: [{ role: "administrator", namespace: "*" }],
};
const signedIn = Object.keys(people);
const everybody = [...signedIn, "nobody"];
const anyOperator = signedIn.slice(2);
const there = ["operator there", "operator", "administrator there", "administrator"];
const wholeMesh = ["operator", "administrator"];
const administrator = ["administrator"];

const kinds = ["/api/:version/:plural", "/apis/:group/:version/:plural"];
const inNamespace = [
  "/api/:version/namespaces/:namespace/:plural",
  "/apis/:group/:version/namespaces/:namespace/:plural",
];
const rows = (methods: string[], patterns: string[], who: readonly string[]) =>
  Object.fromEntries(patterns.flatMap((pattern) => methods.map((method) => [`${method} ${pattern}`, who])));
const named = (patterns: string[]) => patterns.map((pattern) => `${pattern}/:name`);
const ofStatus = (patterns: string[]) => patterns.map((pattern) => `${pattern}/:name/status`);

/**
 * Who comes past the roles at each route that writes; what only reads is for all who are known, but for what is named here. What a write reaches is looked at
 * once more where it is committed, so that whoever operates some namespace comes as far as their request is read.
 */
const allowed: Record<string, readonly string[]> = {
  ...rows(["POST", "DELETE"], [...kinds, ...inNamespace], anyOperator),
  ...rows(["PUT", "PATCH", "DELETE"], named([...kinds, ...inNamespace]), anyOperator),
  ...rows(["PUT", "PATCH"], ofStatus([...kinds, ...inNamespace]), anyOperator),
  "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews": signedIn,
  "POST /apis/authorization.k8s.io/v1/selfsubjectrulesreviews": signedIn,
  "POST /apis/authorization.k8s.io/v1/subjectaccessreviews": signedIn,
  "POST /apis/authorization.k8s.io/v1/namespaces/:namespace/localsubjectaccessreviews": signedIn,
  "POST /apis/authentication.k8s.io/v1/selfsubjectreviews": signedIn,
  "PUT /limpid/v1/services/:namespace/:name/routing/weights": anyOperator,
  "POST /limpid/v1/faults": anyOperator,
  "DELETE /limpid/v1/faults/:namespace/:virtualService/:id": anyOperator,
  "POST /limpid/v1/canaries": anyOperator,
  "POST /limpid/v1/canaries/:namespace/:name/:action": anyOperator,
  "POST /limpid/v1/changes/:revision/undo": anyOperator,
  "POST /limpid/v1/mesh/restore": anyOperator,
  "POST /limpid/v1/transactions": anyOperator,
  "DELETE /limpid/v1/proxies/:id": wholeMesh,
  "POST /limpid/v1/proxy-starts": anyOperator,
  "GET /limpid/v1/join-tokens": administrator,
  "POST /limpid/v1/join-tokens": administrator,
  "DELETE /limpid/v1/join-tokens/:id": administrator,
  "POST /limpid/v1/certificates/revoke": administrator,
  "POST /limpid/v1/certificates/restore": administrator,
};

let api: ApiHarness;
beforeAll(async () => {
  const bearer = async (token: string): Promise<Caller> => {
    const grants = people[token.replaceAll("-", " ")];
    if (!grants) throw new DashboardError({ code: "UNAUTHENTICATED", message: "no such token" });
    return { ...machineCaller(token), way: "token", grants };
  };
  api = await startApi({ callers: apiCallers({ bearer }) });
  for (const name of ["shop", "elsewhere"]) await api.call("POST", "/api/v1/namespaces", { metadata: { name } });
});
afterAll(() => api.close());

const as = (who: string) => ({ authorization: `Bearer ${who.replaceAll(" ", "-")}` });
const samples: Record<string, string> = {
  version: "v1",
  group: "networking.istio.io",
  plural: "virtualservices",
  namespace: "shop",
};
const pathOf = (pattern: string) =>
  (pattern.startsWith("/api/") ? pattern.replace(":plural", "services") : pattern).replaceAll(
    /:(\w+)/g,
    (_, name: string) => samples[name] ?? "none",
  );

describe("role × route of the config API", () => {
  it("has a row for every write, and no row too many", () => {
    const routes = api.routes.map(({ method, pattern }) => `${method} ${pattern}`);
    expect(routes.filter((route) => !route.startsWith("GET ") && allowed[route] === undefined)).toEqual([]);
    expect(Object.keys(allowed).filter((route) => !routes.includes(route))).toEqual([]);
    expect(new Set(routes).size).toBe(routes.length);
  });

  it("lets in whom it should at every route, and nobody else", async () => {
    const found: string[] = [];
    const expected: string[] = [];
    for (const { method, pattern } of api.routes) {
      const isOpen = /^\/(?:livez|readyz|healthz|version|metrics)/.test(pattern);
      for (const who of everybody) {
        const response = await fetch(`${api.url}${pathOf(pattern)}`, {
          method,
          headers: { ...as(who), ...(method !== "GET" && { "content-type": "application/json" }) },
          ...(method !== "GET" && { body: "{}" }),
        });
        const { status } = response;
        await response.body?.cancel();
        const may = (allowed[`${method} ${pattern}`] ?? signedIn).includes(who);
        found.push(
          `${method} ${pattern} as ${who}: ${status === 401 ? "unknown" : status === 403 ? "refused" : "let in"}`,
        );
        // Of whom else one may not ask; and this says so as it would to anybody.
        const isOther =
          /subjectaccessreviews$/.test(pattern) && !pattern.includes("self") && !pattern.includes("local");
        const outcome = who === "nobody" ? "unknown" : !may || isOther ? "refused" : "let in";
        expected.push(`${method} ${pattern} as ${who}: ${outcome}`);
        expect(isOpen && status === 403).toBe(false);
      }
    }
    expect(found).toEqual(expected);
    expect(found.length).toBeGreaterThan(400);
  }, 180_000);
});

describe("however the path is written", () => {
  const token = { namespace: "shop", serviceAccount: "web" };
  it.each([
    "/limpid/v1/join-tokens",
    "/limpid//v1/join-tokens",
    "/limpid/v1//join-tokens/",
    "/limpid/v1/%6aoin-tokens",
    "/limpid/%761/join%2dtokens",
  ])("%s is the administrators'", async (path) => {
    for (const who of ["viewer", "operator"]) {
      const { status } = await api.call("POST", path, token, as(who));
      expect(status, who).toBe(403);
    }
    expect((await api.call("POST", path, token, as("administrator"))).status).toBe(404); // there is no authority here
  });

  it.each([
    "/version/../limpid/v1/join-tokens",
    "/livez/../limpid/v1/faults",
    "/apis/authorization.k8s.io/../../limpid/v1/faults",
  ])("%s leads nowhere that its beginning would not", async (path) => {
    // By hand: a client of URLs would resolve the dots before it sends them.
    const { request } = await import("node:http");
    const status = await new Promise<number>((done, fail) => {
      const call = request(
        {
          port: api.port,
          host: "127.0.0.1",
          path,
          method: "POST",
          headers: { ...as("viewer"), "content-type": "application/json" },
        },
        (response) => done(response.resume().statusCode ?? 0),
      );
      call.on("error", fail);
      call.end("{}");
    });
    expect([400, 403, 404, 405]).toContain(status);
  });
});

describe("what one may do, said beforehand", () => {
  const ask = async (who: string | undefined, resourceAttributes: object) => {
    const { body } = await api.call(
      "POST",
      "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      { spec: { resourceAttributes } },
      who === undefined ? {} : as(who),
    );
    return body.status.allowed as boolean;
  };
  const rule = { group: "networking.istio.io", resource: "virtualservices" };

  it.each<[string, object, readonly (string | undefined)[]]>([
    ["read", { verb: "list", namespace: "shop", ...rule }, [undefined, ...signedIn]],
    ["create", { verb: "create", namespace: "shop", ...rule }, [undefined, ...there]],
    ["everything", { verb: "*", namespace: "shop", group: "*", resource: "*" }, [undefined, ...there]],
    ["create in all namespaces", { verb: "create", ...rule }, [undefined, ...wholeMesh]],
    ["a status", { verb: "patch", namespace: "shop", subresource: "status", ...rule }, [undefined, ...there]],
    ["create namespaces", { verb: "create", group: "", resource: "namespaces" }, [undefined, ...wholeMesh]],
    ["what is not here", { verb: "create", namespace: "shop", group: "apps", resource: "deployments" }, [undefined]],
    [
      "a subresource that is not here",
      { verb: "create", namespace: "shop", subresource: "exec", ...rule },
      [undefined],
    ],
    ["an odd verb", { verb: "impersonate", group: "", resource: "users" }, [undefined]],
  ])("%s", async (_, asked, may) => {
    const found = [];
    for (const who of [undefined, ...signedIn]) if (await ask(who, asked)) found.push(who);
    expect(found).toEqual(may);
  });

  it("is what then happens", async () => {
    for (const who of signedIn) {
      for (const namespace of ["shop", "elsewhere"]) {
        const said = await ask(who, { verb: "create", namespace, ...rule });
        const object = {
          apiVersion: "networking.istio.io/v1",
          kind: "VirtualService",
          metadata: { name: `by-${who.replaceAll(" ", "-")}` },
          spec: { hosts: ["web"], http: [{ route: [{ destination: { host: "web" } }] }] },
        };
        const path = `/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices`;
        const { status, body } = await api.call("POST", path, object, as(who));
        expect(status, `${who} in ${namespace}`).toBe(said ? 201 : 403);
        if (!said) {
          const name = who.replaceAll(" ", "-");
          const sentence = `virtualservices.networking.istio.io is forbidden: User "${name}" cannot create resource "virtualservices" in API group "networking.istio.io" in the namespace "${namespace}": `;
          expect(body).toMatchObject({ kind: "Status", reason: "Forbidden", details: { kind: "virtualservices" } });
          expect(body.message.startsWith(sentence), body.message).toBe(true);
        }
      }
    }
  });

  it("lists rules of a namespace", async () => {
    const rules = async (who: string, namespace: string) => {
      const { body } = await api.call(
        "POST",
        "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
        { spec: { namespace } },
        as(who),
      );
      return body.status.resourceRules.map(({ verbs, apiGroups }: Record<string, string[]>) => [
        verbs?.[0],
        apiGroups?.[0],
      ]);
    };
    expect(await rules("viewer", "shop")).toEqual([["get", "*"]]);
    expect(await rules("operator there", "elsewhere")).toEqual([["get", "*"]]);
    expect(await rules("operator there", "shop")).toContainEqual(["create", "networking.istio.io"]);
  });

  it("says who one is, and nothing of others", async () => {
    const { body } = await api.call(
      "POST",
      "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      {},
      as("operator there"),
    );
    expect(body.status.userInfo).toEqual({
      username: "operator-there",
      groups: ["system:authenticated", "limpid:operator:shop"],
    });
    const path = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    const spec = { user: "operator-there", resourceAttributes: { verb: "create", namespace: "shop", ...rule } };
    expect((await api.call("POST", path, { spec }, as("operator there"))).body.status.allowed).toBe(true);
    expect((await api.call("POST", path, { spec }, as("administrator"))).status).toBe(403);
    expect((await api.call("POST", path, { spec: { user: "viewer" } }, as("viewer"))).status).toBe(400);
  });
});
