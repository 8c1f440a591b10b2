import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { parse } from "yaml";
import { type Access, createAccess } from "../access/access.ts";
import { machineCaller } from "../access/caller.ts";
import { openCertificateAuthority } from "../ca/certificate-authority.ts";
import { consoleAuthority, consoleCertificate } from "../ca/console-authority.ts";
import { kinds } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import type { Grant } from "../contract/index.ts";
import { apiCallers } from "../control-plane/access/api-callers.ts";
import { createConfigApi } from "../control-plane/api/config-api.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { openSqliteAccessStore } from "../store/access/sqlite-access-store.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { consoleUrl, dashboardListener, givenCertificate, listenAddress } from "./listen.ts";

let data: string;
let access: Access;
let port: number;
let renewRoots: (clientRoots: string) => void;
let plain: number;
let root: string;
const closing: (() => Promise<void>)[] = [];
const migrations = resolve(import.meta.dirname, "../../prisma/access/migrations");
const authority = () => openCertificateAuthority(join(data, "ca"), { clock, trustDomain: "cluster.local" });

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), "limpid-guarded-"));
  const store = await openSqliteAccessStore({ path: join(data, "access.db"), migrations });
  access = createAccess({ store, clock, logger: silentLogger, machineToken: "limpid_machine_x" });
  const api = createConfigApi({
    store: new MemoryConfigStore({ clock }),
    kinds,
    clock,
    logger: silentLogger,
    services: async () => [],
    pushes: { get: () => undefined, latency: () => ({ sinceMs: 0, count: 0, p99Ms: null }), affected: () => 0 },
    callers: apiCallers(access),
    note: access.note,
  });
  plain = (await api.listen("127.0.0.1", 0)).port;
  const tls = {
    ...(await consoleCertificate(data, [], clock)),
    clientRoots: (await authority()).rootPem,
    onRoots: (renew: (clientRoots: string) => void) => {
      renewRoots = renew;
    },
  };
  port = (await api.listenGuarded("127.0.0.1", 0, tls)).port;
  root = readFileSync(join(data, consoleAuthority, "root-cert.pem"), "utf8");
  closing.push(
    () => api.close(),
    () => access.close(),
  );
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(data, { recursive: true, force: true });
});

const services = "/api/v1/namespaces/default/services";

function ask({
  method = "GET",
  path = services,
  token,
  body,
  ...tls
}: {
  method?: string;
  path?: string;
  token?: string;
  body?: object;
  key?: string;
  cert?: string;
  ca?: string;
} = {}): Promise<number> {
  return new Promise((done, reject) => {
    const headers = {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body && { "content-type": "application/json" }),
    };
    const call = request(
      { host: "127.0.0.1", port, method, path, headers, ca: root, agent: false, ...tls },
      (response) => {
        response.resume();
        response.on("end", () => done(response.statusCode ?? 0));
      },
    );
    call.on("error", reject);
    call.end(body && JSON.stringify(body));
  });
}

const tokenOf = async (grants: Grant[]) =>
  (await access.tokens.create(machineCaller(), { name: "t", grants, ttlSec: 60 })).token;
const namespace = { metadata: { name: "mine" } };

it("asks for a token over TLS, and holds it to its scope; loopback asks nobody", async () => {
  expect(await ask()).toBe(401);
  expect(await ask({ token: "limpid_000000000000_x" })).toBe(401);
  const viewer = await tokenOf([{ role: "viewer", namespace: "*" }]);
  expect(await ask({ token: viewer })).toBe(200);
  expect(await ask({ token: viewer, method: "POST", path: "/api/v1/namespaces", body: namespace })).toBe(403);
  const operator = await tokenOf([{ role: "operator", namespace: "*" }]);
  expect(await ask({ token: operator, method: "POST", path: "/api/v1/namespaces", body: namespace })).toBe(201);
  expect((await fetch(`http://127.0.0.1:${plain}${services}`)).status).toBe(200);
  await expect(ask({ token: viewer, ca: (await authority()).rootPem })).rejects.toThrow(/certificate/);
  const { entries } = await access.audit({ limit: 10 });
  expect(entries.map(({ result, action }) => [result, action])).toEqual([
    ["done", "config.write"],
    ["refused", "POST config"],
  ]);
});

it("lets a workload's certificate look, and nobody else's", async () => {
  const workload = { spiffeUri: "spiffe://cluster.local/ns/shop/sa/web", ttlSec: 60 };
  const { keyPem: key, chainPem: cert } = await (await authority()).issue(workload);
  expect(await ask({ key, cert })).toBe(200);
  expect(await ask({ key, cert, method: "POST", path: "/api/v1/namespaces", body: namespace })).toBe(403);
  const other = mkdtempSync(join(tmpdir(), "limpid-other-ca-"));
  const foreign = await (await openCertificateAuthority(other, { clock, trustDomain: "cluster.local" })).issue(
    workload,
  );
  expect(await ask({ key: foreign.keyPem, cert: foreign.chainPem })).toBe(401);
  // As when one root has given way to another.
  renewRoots((await openCertificateAuthority(other, { clock, trustDomain: "cluster.local" })).rootPem);
  expect(await ask({ key: foreign.keyPem, cert: foreign.chainPem })).toBe(200);
  expect(await ask({ key, cert })).toBe(401);
  rmSync(other, { recursive: true, force: true });
});

it("is what a kubeconfig says", async () => {
  const token = await tokenOf([{ role: "viewer", namespace: "*" }]);
  const text = kubeconfigOf({ server: `https://127.0.0.1:${port}`, authority: root, token, namespace: "shop" });
  const { clusters, users, contexts, "current-context": current } = parse(text);
  expect(Buffer.from(clusters[0].cluster["certificate-authority-data"], "base64").toString()).toBe(root);
  expect([users[0].user.token, contexts[0].name, contexts[0].context.namespace]).toEqual([token, current, "shop"]);
  expect(await ask({ token: users[0].user.token })).toBe(200);
});

it("listens where it is told, and says what is wrong", () => {
  expect(listenAddress({})).toBe("127.0.0.1");
  expect(listenAddress({ LIMPID_LISTEN: "0.0.0.0" })).toBe("0.0.0.0");
  expect(() => listenAddress({ LIMPID_LISTEN: "mesh.example.com" })).toThrow("must be an IP address");
  expect(givenCertificate({})).toBeUndefined();
  expect(() => givenCertificate({ LIMPID_TLS_CERT_FILE: "x" })).toThrow("go together");
  expect(() => givenCertificate({ LIMPID_TLS_CERT_FILE: "/x", LIMPID_TLS_KEY_FILE: "/y" })).toThrow(
    /LIMPID_TLS_CERT_FILE: \/x/,
  );
  expect(dashboardListener({})).toBeUndefined();
  expect(dashboardListener({ LIMPID_LISTEN: "127.0.0.2" })).toBeUndefined();
  for (const address of ["0.0.0.0", "::", "10.0.0.1"])
    expect(() => dashboardListener({ LIMPID_LISTEN: address })).toThrow(/over HTTPS only: set LIMPID_TLS_CERT_FILE/);
  expect(consoleUrl({}, "http://a")).toBe("http://a");
  expect(consoleUrl({ LIMPID_URL: "https://mesh.example.com/x" }, "")).toBe("https://mesh.example.com");
  expect(() => consoleUrl({ LIMPID_URL: "mesh" }, "")).toThrow("LIMPID_URL");
});
