import { expect, it } from "vitest";
import type { ProxySync, WorkloadView } from "../contract/index.ts";
import { explainedMesh, sidecar } from "../explain/testing/mesh.ts";
import { createExplain } from "./explain.ts";

const proxy = (name: string, namespace: string, connected = true): ProxySync =>
  ({
    id: `sidecar~127.0.0.1~${name}.${namespace}~`,
    name,
    namespace,
    address: "127.0.0.1",
    app: name.replace(/-v\d$/, ""),
    version: "",
    kind: "sidecar",
    implementation: "",
    connected,
    identity: null,
  }) as ProxySync;

const asked: string[] = [];
const explain = createExplain({
  proxies: async () => ({
    proxies: [
      proxy("a-v1", "one"),
      proxy("a-v2", "one"),
      proxy("b-v1", "one"),
      proxy("b-v1", "two"),
      proxy("gone-v1", "one", false),
    ],
  }),
  held: async (id) => {
    asked.push(id);
    return { labels: {}, resources: [] };
  },
  peerAuthentications: async () => [],
  documents: async () => [],
  now: () => 7,
});

const ask = (from: string, url = "http://x/") =>
  explain({ from, url, method: "GET", headers: "a: b\n", identity: "", token: "" });

it("finds the caller by workload, with its namespace, by node id and by app", async () => {
  for (const from of ["a-v1", "one/a-v1", "a-v1.one", "sidecar~127.0.0.1~a-v1.one~", "a"]) {
    const answer = await ask(from);
    expect(answer.source.proxy.name, from).toBe("a-v1");
    expect(answer.source.end.kind).toBe("no-listener");
    expect(answer.request).toEqual({ method: "GET", url: "http://x/", headers: ["a: b"] });
  }
});

it("says who there is, and what is not plain", async () => {
  await expect(ask("nobody")).rejects.toMatchObject({
    code: "NOT_FOUND",
    message: expect.stringContaining("one/a-v1, one/a-v2"),
  });
  await expect(ask("gone-v1")).rejects.toMatchObject({ code: "NOT_FOUND" });
  await expect(ask("b-v1")).rejects.toMatchObject({
    code: "INVALID",
    message: "from: b-v1 is there in several namespaces: write one/b-v1, two/b-v1",
  });
  await expect(ask("a-v1", "ftp://x")).rejects.toMatchObject({ code: "INVALID", errors: [{ path: "url" }] });
});

it("says of endpoints which group registered them, and goes on where the registry is away", async () => {
  const page = sidecar("page", "page", "127.0.1.1", "page");
  const { sentTo } = explainedMesh(
    `
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: default }
spec: { selector: { app: cart }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: cart-a, namespace: default }
spec: { address: 127.0.1.3, labels: { app: cart } }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: cart-b, namespace: default }
spec: { address: 127.0.1.4, labels: { app: cart } }
`,
    [page],
  );
  const groupsWith = async (workloads: () => Promise<{ workloads: WorkloadView[] }>) => {
    const explainIt = createExplain({
      proxies: async () => ({ proxies: [{ ...proxy("page", "default"), ...page, connected: true }] }),
      held: async () => sentTo(page),
      peerAuthentications: async () => [],
      documents: async () => [],
      workloads,
      now: () => 7,
    });
    const query = { from: "page", url: "http://cart/", method: "GET", headers: "", identity: "" };
    const { source } = await explainIt(query);
    return source.clusters[0]?.endpoints.map(({ workload, group }) => [workload, group]);
  };
  const registered = { namespace: "default", name: "cart-b", group: "cart" } as WorkloadView;
  expect(await groupsWith(async () => ({ workloads: [registered] }))).toEqual([
    ["default/cart-a", undefined],
    ["default/cart-b", "cart"],
  ]);
  const away = await groupsWith(() => Promise.reject(new Error("away")));
  expect(away?.map(([, group]) => group)).toEqual([undefined, undefined]);
});
