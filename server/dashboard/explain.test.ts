import { expect, it } from "vitest";
import type { ProxySync } from "../contract/index.ts";
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
