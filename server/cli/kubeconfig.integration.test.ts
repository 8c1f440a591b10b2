import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Access, createAccess } from "../access/access.ts";
import { machineCaller } from "../access/caller.ts";
import { consoleAuthority, consoleCertificate } from "../ca/console-authority.ts";
import { kinds } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import type { Grant } from "../contract/index.ts";
import { apiCallers } from "../control-plane/access/api-callers.ts";
import { createConfigApi } from "../control-plane/api/config-api.ts";
import { findKubectl, type KubectlResult } from "../control-plane/api/testing/kubectl.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { silentLogger as logger } from "../lib/logger.ts";
import { openSqliteAccessStore } from "../store/access/sqlite-access-store.ts";
import { kubeconfigOf } from "./kubeconfig.ts";

const binary = findKubectl();
if (binary === undefined && process.env.CI) throw new Error("kubectl is not on the PATH, and CI is set");

const rule = (namespace: string) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: ${namespace} }
spec: { hosts: [web], http: [{ route: [{ destination: { host: web } }] }] }
`;

describe.skipIf(binary === undefined)("a stock kubectl with our kubeconfig, over TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-kubeconfig-"));
  const closing: (() => Promise<unknown>)[] = [];
  let access: Access;
  let port = 0;

  beforeAll(async () => {
    const migrations = resolve(import.meta.dirname, "../../prisma/access/migrations");
    const store = await openSqliteAccessStore({ path: join(folder, "access.db"), migrations });
    access = createAccess({ store, clock, logger, machineToken: "limpid_machine_x" });
    const api = createConfigApi({
      store: new MemoryConfigStore({ clock }),
      kinds,
      clock,
      logger,
      services: async () => [],
      pushes: { get: () => undefined, latency: () => ({ sinceMs: 0, count: 0, p99Ms: null }), affected: () => 0 },
      callers: apiCallers(access),
      note: access.note,
    });
    closing.push(
      () => api.close(),
      () => access.close(),
    );
    const plain = (await api.listen("127.0.0.1", 0)).port;
    port = (await api.listenGuarded("127.0.0.1", 0, await consoleCertificate(folder, [], clock))).port;
    for (const name of ["shop", "bank"]) {
      await fetch(`http://127.0.0.1:${plain}/api/v1/namespaces`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ metadata: { name } }),
      });
    }
  });
  afterAll(async () => {
    for (const close of closing) await close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** kubectl as somebody with these roles. */
  async function as(grants: Grant[]) {
    const { token } = await access.tokens.create(machineCaller(), { name: "kubeconfig", grants, ttlSec: 600 });
    const authority = readFileSync(join(folder, consoleAuthority, "root-cert.pem"), "utf8");
    const path = join(
      folder,
      `config-${grants.map(({ role, namespace }) => role + namespace.replace("*", "")).join("")}`,
    );
    writeFileSync(path, kubeconfigOf({ server: `https://127.0.0.1:${port}`, authority, token, namespace: "shop" }));
    return (args: string, input = ""): Promise<KubectlResult> =>
      new Promise((done) => {
        const all = ["--kubeconfig", path, `--cache-dir=${path}-cache`, ...args.split(" ")];
        const child = execFile(binary ?? "kubectl", all, { timeout: 60_000 }, (error, stdout, stderr) =>
          done({ code: error ? (typeof error.code === "number" ? error.code : 1) : 0, stdout, stderr }),
        );
        child.stdin?.end(input);
      });
  }

  it("lets an operator of a namespace apply there, and says what is forbidden as a cluster does", async () => {
    const operator = await as([{ role: "operator", namespace: "shop" }]);
    expect(await operator("apply -f -", rule("shop"))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("created"),
    });
    expect((await operator("get virtualservices")).stdout).toMatch(/^web /m);
    const { code, stderr } = await operator("apply -f -", rule("bank"));
    expect(code).toBe(1);
    expect(stderr).toContain("Error from server (Forbidden)");
    expect(stderr).toMatch(
      /cannot create resource "virtualservices" in API group "networking.istio.io" in the namespace "bank"/,
    );
    const said = async (args: string) => (await operator(`auth can-i ${args}`)).stdout.trim().split("\n").at(-1);
    expect(await said("create virtualservices")).toBe("yes");
    expect(await said("create virtualservices -n bank")).toMatch(/^no/);
    expect(await said("get virtualservices -n bank")).toBe("yes");
    expect(await said("delete namespaces")).toMatch(/^no/);
  }, 120_000);

  it("lets a viewer look, and change nothing", async () => {
    const viewer = await as([{ role: "viewer", namespace: "*" }]);
    expect(await viewer("get virtualservices -A")).toMatchObject({ code: 0 });
    const refused = await viewer("delete virtualservice web");
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/\(Forbidden\).*"web" is forbidden: User ".*" cannot delete resource "virtualservices"/),
    ]);
    const list = (await viewer("auth can-i --list")).stdout;
    expect(list).toMatch(/\*\.\* .*\[get list watch\]/);
    expect(list).not.toContain("create");
    expect((await viewer("auth whoami")).stdout).toContain("limpid:viewer");
    const { entries } = await access.audit({ limit: 5 });
    expect(entries.find(({ action }) => action === "DELETE config")).toMatchObject({ result: "refused", way: "token" });
  }, 120_000);
});
