import { once } from "node:events";
import { type IncomingHttpHeaders, type IncomingMessage, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Deed } from "../access/audit.ts";
import { DashboardError } from "../contract/index.ts";
import { type ApiCall, createApiRoutes, Download } from "./api-call.ts";
import { createDashboardServer } from "./http-server.ts";
import { everybodyIs } from "./testing/callers.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const failures: unknown[] = [];
const deeds: Deed[] = [];
const everyByte = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
let lastCall: ApiCall | undefined;

async function start(allowedHosts: readonly string[] = []): Promise<number> {
  const api = createApiRoutes();
  api.add("GET", "/api/things/:name", async (call) => {
    lastCall = call;
    return { name: call.params.name };
  });
  api.add("PUT", "/api/things/:name", async (call) => {
    lastCall = call;
    return call.body ?? null;
  });
  api.add("GET", "/api/file", async () => new Download({ a: 1 }, "a.json"));
  api.add("GET", "/api/bytes", async () => new Download(everyByte, "a.gz", "application/gzip"));
  api.add("GET", "/api/gone", () => Promise.reject(new DashboardError({ code: "NOT_FOUND", message: "gone" })));
  api.add("GET", "/api/broken", () => Promise.reject(new Error("secret detail")));
  const deed = { deed: "load-test.start" } as const;
  api.add("POST", "/api/do", async () => ({}), deed);
  api.add("POST", "/api/untold", async () => ({ never: 1n }), deed);
  api.add("POST", "/api/refused", () => Promise.reject(new DashboardError({ code: "FORBIDDEN", message: "no" })), deed);
  api.add("POST", "/api/failing", () => Promise.reject(new DashboardError({ code: "CONFLICT", message: "no" })), deed);
  failures.length = 0;
  deeds.length = 0;
  server = createDashboardServer({
    api,
    callers: { ...everybodyIs(), note: async (one) => void deeds.push(one) },
    place: { port: 3000, secure: false },
    addresses: async (path) =>
      path === "/old" ? { kind: "moved", to: "/new%20place" } : path === "/gone" ? { kind: "missing" } : undefined,
    pages: (req, res) => res.end(JSON.stringify(req.headers)),
    allowedHosts,
    onError: (error) => failures.push(error),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const ask = (
  port: number,
  path: string,
  {
    method = "GET",
    headers = {},
    body = "",
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const call = request({ host: "127.0.0.1", port, path, method, headers }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    call.on("error", reject);
    call.end(body);
  });

const json = { "content-type": "application/json" };

it("gives bytes as they are", async () => {
  const answer = await fetch(`http://127.0.0.1:${await start()}/api/bytes`);
  expect(answer.headers.get("content-type")).toBe("application/gzip");
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(everyByte);
});

it("gives what is downloaded as a file", async () => {
  const { status, headers, body } = await ask(await start(), "/api/file");
  expect([status, headers["content-disposition"], body]).toEqual([200, 'attachment; filename="a.json"', '{"a":1}']);
});

describe("API", () => {
  it("tells nobody of a client that left within its body", async () => {
    const port = await start();
    const socket = connect(port, "127.0.0.1");
    socket.write(
      "PUT /api/things/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    );
    const [accepted] = (await once(server as Server, "request")) as [IncomingMessage];
    socket.destroy();
    await new Promise((resolve) => accepted.once("close", resolve));
    expect((await ask(port, "/api/things/b")).status).toBe(200);
    expect(failures).toEqual([]);
  });

  it("answers JSON that nobody caches, with decoded parameters and the query", async () => {
    const port = await start();
    const { status, headers, body } = await ask(port, "/api/things/a%2Fb?x=1&x=2&y=");
    expect([status, headers["cache-control"], headers["content-type"], JSON.parse(body)]).toEqual([
      200,
      "no-store",
      "application/json",
      { name: "a/b" },
    ]);
    expect(lastCall?.query).toEqual({ x: "2", y: "" });
  });
  it("gives the contract's error with the status that fits, and hides what nobody foresaw", async () => {
    const port = await start();
    const gone = await ask(port, "/api/gone");
    expect([gone.status, JSON.parse(gone.body)]).toEqual([404, { code: "NOT_FOUND", message: "gone" }]);
    const broken = await ask(port, "/api/broken");
    expect([broken.status, JSON.parse(broken.body).code]).toEqual([500, "INTERNAL"]);
    expect(broken.body).not.toContain("secret");
    expect(failures).toEqual([new Error("secret detail")]);
  });
  it("names an unknown path, and the methods of a known one", async () => {
    const port = await start();
    const unknown = await ask(port, "/api/nothing");
    expect([unknown.status, JSON.parse(unknown.body).code]).toEqual([404, "NOT_FOUND"]);
    const wrong = await ask(port, "/api/things/a", { method: "DELETE", headers: json });
    expect([wrong.status, wrong.headers.allow]).toEqual([405, "GET, HEAD, PUT"]);
  });
  it("answers HEAD without a body", async () => {
    const port = await start();
    const { status, headers, body } = await ask(port, "/api/things/a", { method: "HEAD" });
    expect([status, headers["content-length"], body]).toEqual([200, "12", ""]);
  });
  it("takes JSON only, and not more than a mebibyte", async () => {
    const port = await start();
    const put = (body: string, headers: Record<string, string>) =>
      ask(port, "/api/things/a", { method: "PUT", body, headers });
    expect((await put(`{"a":1}`, json)).body).toBe(`{"a":1}`);
    expect((await put(`{"a":1}`, { "content-type": "text/plain" })).status).toBe(400);
    expect(JSON.parse((await put("{", json)).body).message).toBe("The body is not JSON.");
    const large = await put("x".repeat(1_048_577), json);
    expect([large.status, large.headers.connection]).toEqual([413, "close"]);
    expect((await put(`"${"x".repeat(1_048_574)}"`, { ...json, "transfer-encoding": "chunked" })).status).toBe(200);
    expect((await put(`"${"x".repeat(1_048_575)}"`, { ...json, "transfer-encoding": "chunked" })).status).toBe(413);
  });
});

describe("guard", () => {
  it.each(["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST", "mesh.localhost:80", "mesh.corp:3000"])(
    "serves %s",
    async (host) => {
      const port = await start(["mesh.corp"]);
      expect((await ask(port, "/api/things/a", { headers: { host } })).status).toBe(200);
      expect((await ask(port, "/topology", { headers: { host } })).status).toBe(200);
    },
  );
  it.each(["evil.example", "127.0.0.1.evil.example:3000", "localhost.evil.example", "192.168.0.10", "x.mesh.corp"])(
    "refuses %s, for pages, assets and the API",
    async (host) => {
      const port = await start(["mesh.corp"]);
      for (const path of ["/api/things/a", "/api/healthz", "/topology", "/_next/static/a.js"]) {
        expect((await ask(port, path, { headers: { host } })).status, path).toBe(421);
      }
    },
  );
  const write = (port: number, headers: Record<string, string>) =>
    ask(port, "/api/things/a", { method: "PUT", body: "{}", headers: { ...json, ...headers, host: "localhost:3000" } });
  it("takes writes of the dashboard's own pages and of tools that send no origin", async () => {
    const port = await start();
    expect((await write(port, { origin: "http://localhost:3000", "sec-fetch-site": "same-origin" })).status).toBe(200);
    expect((await write(port, {})).status).toBe(200);
  });
  it.each<Record<string, string>>([
    { origin: "http://evil.example" },
    { origin: "http://localhost:4000" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site", origin: "http://localhost:3000" },
  ])("refuses writes with %j", async (headers) => {
    const port = await start();
    const answer = await write(port, headers);
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([403, "FORBIDDEN"]);
  });
});

describe("pages", () => {
  it("leads from an address of before to the one of now, with its query, and says 404 of what is not there", async () => {
    const port = await start();
    const moved = await ask(port, "/old?tab=config");
    expect([moved.status, moved.headers.location]).toEqual([307, "/new%20place?tab=config"]);
    expect((await ask(port, "/gone")).status).toBe(404);
    expect((await ask(port, "/there")).status).toBe(200);
  });
  it("get a nonce of their own each time, whatever the client claims", async () => {
    const port = await start();
    const page = () => ask(port, "/topology", { headers: { "x-nonce": "mine", "content-security-policy": "none" } });
    const first = await page();
    const policy = String(first.headers["content-security-policy"]);
    const seen = JSON.parse(first.body) as Record<string, string>;
    expect(policy).toContain(`'nonce-${seen["x-nonce"]}'`);
    expect(seen["content-security-policy"]).toBe(policy);
    expect(policy).not.toContain("mine");
    expect((await page()).headers["content-security-policy"]).not.toBe(policy);
  });
  it("carry the fixed headers, as does everything else", async () => {
    const port = await start();
    for (const path of ["/topology", "/_next/static/a.js", "/api/things/a", "/api/nothing"]) {
      const { headers } = await ask(port, path);
      expect([headers["x-content-type-options"], headers["x-frame-options"]], path).toEqual(["nosniff", "DENY"]);
    }
  });
});

it.each([
  ["/api/do", 200, "done"],
  // The answer failed, and not what was done.
  ["/api/untold", 500, "done"],
  ["/api/refused", 403, "refused"],
  ["/api/failing", 409, "failed"],
])("writes down once what became of %s", async (path, status, result) => {
  const port = await start();
  const headers = { "content-type": "application/json" };
  expect((await ask(port, path, { method: "POST", headers, body: "{}" })).status).toBe(status);
  expect(deeds.map((deed) => [deed.action, deed.result])).toEqual([["load-test.start", result]]);
});
