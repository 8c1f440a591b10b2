import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { readMachineToken } from "../server/access/machine-token.ts";
import { PolicyAdvice, PolicyCheck, WorkloadList } from "../server/contract/index.ts";
import { meshPorts } from "../server/fleet/ports.ts";
import { apiOf } from "./config.ts";
import { startMesh, type TestMesh } from "./mesh.ts";

describe("who may reach the mesh", () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    mesh = await startMesh();
  });
  afterAll(async () => {
    await mesh?.stop();
  });

  const weights = JSON.stringify({ rule: 0, weights: { v1: 0, v2: 0, v3: 100 }, resourceVersion: null });
  const dashboardWrite = "/api/services/default/reviews/routing/weights";
  const configWrite = "/limpid/v1/services/default/reviews/routing/weights";
  const json = { "content-type": "application/json" };
  const owner = () => ({ authorization: `Bearer ${readMachineToken(mesh.data)}` });

  test("a foreign Host is refused by dashboard, config API and supervisor: DNS rebinding", async () => {
    const ports = meshPorts(mesh.portOffset);
    for (const [port, path] of [
      [ports.dashboard, "/topology"],
      [ports.dashboard, "/api/status"],
      [ports.configApi, "/apis/networking.istio.io/v1/virtualservices"],
      [ports.configApi, "/limpid/v1/services"],
      [ports.fleet, "/v1/status"],
    ] as const) {
      for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example", "169.254.169.254"]) {
        const { status, body } = await ask(port, "GET", path, { host });
        expect([403, 421], `${port}${path} as ${host}: ${body.slice(0, 200)}`).toContain(status);
      }
      for (const host of [`127.0.0.1:${port}`, `localhost:${port}`])
        expect((await ask(port, "GET", path, { host, ...owner() })).status, `${path} as ${host}`).toBe(200);
    }
  });

  test("a write from another site's page is refused, and nothing changes", async () => {
    const ports = meshPorts(mesh.portOffset);
    const before = await apiOf(mesh).routing({ namespace: "default", name: "reviews" });
    const origins = ["http://evil.example", "null", "http://127.0.0.1:1", "https://localhost"];
    for (const origin of origins) {
      const headers = { ...json, origin, ...owner() };
      expect((await ask(ports.dashboard, "PUT", dashboardWrite, headers, weights)).status, origin).toBe(403);
      expect((await ask(ports.configApi, "PUT", configWrite, headers, weights)).status, origin).toBe(403);
      expect((await ask(ports.fleet, "POST", "/v1/shutdown", { origin })).status, origin).toBe(403);
    }
    const crossSite = { ...json, "sec-fetch-site": "cross-site", ...owner() };
    expect((await ask(ports.dashboard, "PUT", dashboardWrite, crossSite, weights)).status).toBe(403);
    expect(await apiOf(mesh).routing({ namespace: "default", name: "reviews" })).toEqual(before);
  });

  test("a body that a plain HTML form could send is not taken for a write", async () => {
    const ports = meshPorts(mesh.portOffset);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      const { status } = await ask(ports.configApi, "PUT", configWrite, { "content-type": type }, weights);
      expect(status, type).toBe(415);
    }
  });

  test("no page may be framed, run foreign scripts or be sniffed", async () => {
    const { headers } = await ask(meshPorts(mesh.portOffset).dashboard, "GET", "/topology", owner());
    expect(headers["x-frame-options"]).toBe("DENY");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toMatch(/script-src 'self' 'nonce-[A-Za-z0-9+/=]{20,}' 'strict-dynamic'(;|$)/);
    expect(policy).toContain("frame-ancestors 'none'");
    expect(headers["x-powered-by"]).toBeUndefined();
  });

  // Last but one: what it enforces stays.
  test("recorded traffic becomes a policy, which is tried, and then refuses strangers and nobody else", async () => {
    const advised = await eventually(async () => {
      const { policies } = PolicyAdvice.parse(
        await answer(mesh, "/api/advice/policy?namespace=default&workload=reviews"),
      );
      const [policy] = policies;
      const paths = policy?.rules.flatMap(({ operations }) => operations.flatMap((it) => it.paths)) ?? [];
      return paths.includes("/reviews/{*}") || paths.includes("/reviews/0") ? policy : undefined;
    });
    expect(advised.rules.flatMap(({ principals }) => principals).join()).toMatch(
      /^cluster\.local\/ns\/default\/sa\/[\w-]+$/,
    );
    expect(advised.selector).toEqual({ app: "reviews" });
    const apply = (yaml: string) => answer(mesh, "/api/apply", { yaml });
    await apply(withTrial(advised.yaml));
    const { workloads } = WorkloadList.parse(await answer(mesh, "/api/workloads"));
    const { address, port } = workloads.find(({ app }) => app === "reviews")?.endpoints[0] ?? { address: "", port: 0 };
    const stranger = (path: string) => ask(port, "GET", path, { host: "reviews:9080" }, undefined, address);
    const path = `/reviews/0?by=stranger`;
    expect((await stranger(path)).status).toBe(200);
    expect((await stranger("/stranger/in/dry-run")).status).not.toBe(403);
    const { refused } = await eventually(async () => {
      const check = PolicyCheck.parse(await answer(mesh, "/api/advice/check", { yaml: advised.yaml, window: 600 }));
      return check.refused.some((it) => it.path === "/stranger/in/dry-run") ? check : undefined;
    });
    expect(refused.find((it) => it.path === "/stranger/in/dry-run")).toMatchObject({
      rule: `default/${advised.name}`,
      principal: "",
      calls: 1,
    });
    await apply(advised.yaml);
    await eventually(async () => (await stranger(path)).status === 403 || undefined);
    for (let n = 0; n < 20; n++) {
      const { status } = await ask(
        mesh.gateway.port,
        "GET",
        "/api/v1/products/0/reviews",
        {},
        undefined,
        mesh.gateway.host,
      );
      expect(status).toBe(200);
    }
  });

  test.skipIf(process.platform !== "linux")("every listener is on loopback", async () => {
    const { pid, parts } = await mesh.status();
    const listening = [pid, ...parts.flatMap((part) => part.pid ?? [])].flatMap(listenersOf);
    expect(listening.length).toBeGreaterThan(40);
    expect(listening.filter((address) => !isLoopback(address))).toEqual([]);
  });
});

/** What the dashboard answers its owner; with a `body`, to a POST. */
async function answer(mesh: TestMesh, path: string, body?: unknown): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
  const response = await mesh.ask(path, init);
  const text = await response.text();
  expect(response.status, text).toBe(200);
  return JSON.parse(text);
}

/** The same policy, which only says what it would do. */
const withTrial = (yaml: string) =>
  yaml.replace("metadata:\n", 'metadata:\n  annotations:\n    istio.io/dry-run: "true"\n');

async function eventually<T>(probe: () => Promise<T | undefined>): Promise<T> {
  return vi.waitFor(
    async () => {
      const found = await probe();
      if (found === undefined) throw new Error("not yet");
      return found;
    },
    { timeout: 60_000, interval: 250 },
  );
}

function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
  host = "127.0.0.1",
) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((done, reject) => {
    const req = request({ host, port, method, path, headers, agent: false, timeout: 20_000 }, (res) => {
      let text = "";
      res.on("data", (chunk) => {
        text += chunk;
      });
      res.on("end", () => done({ status: res.statusCode ?? 0, headers: res.headers, body: text }));
    });
    req.on("timeout", () => req.destroy(new Error("no answer within 20 s")));
    req.on("error", reject);
    req.end(body);
  });
}

/** Local addresses in /proc's hex of a process's listening TCP sockets. https://man7.org/linux/man-pages/man5/proc_pid_net.5.html */
function listenersOf(pid: number): string[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // closed meanwhile
      }
    }),
  );
  const listen = "0A";
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === listen && own.has(fields[9] ?? ""))
      .map((fields) => fields[1] ?? ""),
  );
}

/** 127.0.0.0/8 or ::1, written by the kernel in 32-bit words of host order. */
const isLoopback = (address: string): boolean =>
  /^[0-9A-F]{6}7F:/.test(address) ||
  address.startsWith("00000000000000000000000001000000:") ||
  /^0{16}FFFF0000[0-9A-F]{6}7F:/.test(address);
