import { type ChildProcess, spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { openCertificateAuthority } from "../../ca/certificate-authority.ts";
import { tempFolder } from "../../ca/testing/tls.ts";
import { kinds, parseDocuments } from "../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { createConfigApi } from "../../control-plane/api/config-api.ts";
import { createControlPlane } from "../../control-plane/control-plane.ts";
import { registrationsFile } from "../../control-plane/registration/registrations-file.ts";
import { meshPorts } from "../../fleet/ports.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { jsonFile } from "../../lib/json-file.ts";
import { silentLogger as logger } from "../../lib/logger.ts";
import { runJoin } from "./testing/run-join.ts";

const envoy = process.env.LIMPID_ENVOY ?? "";
const sidecar = [process.execPath, resolve(import.meta.dirname, "../main.ts"), "sidecar"];

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Below the ports that the kernel hands out by itself, and apart from a mesh that runs here. */
const offset = 8_000 + (process.pid % 2_500);
const ports = meshPorts(offset);

const limpid = (...args: string[]) => runJoin(offset, ...args);

const mesh = `
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: default }
spec: { selector: { app: cart }, ports: [{ name: http, port: 80 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadGroup
metadata: { name: cart, namespace: default }
spec:
  metadata: { labels: { app: cart, version: v1 } }
  template: { ports: { http: 9080 }, serviceAccount: cart }
  probe: { periodSeconds: 1, httpGet: { path: /health, port: 9080 } }
`;

async function startPlane(folder: string, store: MemoryConfigStore) {
  const authority = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain: "cluster.local" });
  const plane = createControlPlane({
    store,
    xdsPort: ports.xds,
    xdsTls: { port: ports.xdsTls },
    join: { port: ports.join },
    authority,
    registrations: registrationsFile(jsonFile(join(folder, "registered-workloads.json"))),
    registrationGraceMs: 1_000,
    clock,
    logger,
  });
  await plane.start();
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= plane.stop());
  closers.push(stop);
  const api = createConfigApi({
    store,
    kinds,
    clock,
    logger,
    services: plane.services,
    mesh: plane.mesh,
    pushes: plane.pushes,
    proxies: plane.proxies,
    registrations: plane.registrations,
  });
  const { port } = await api.listen("127.0.0.1", 0);
  closers.push(() => api.close());
  const entries = "/apis/networking.istio.io/v1/namespaces/default/workloadentries";
  const url = (path = "") => `http://127.0.0.1:${port}${entries}${path}`;
  return { plane, stop, url };
}

/** An application that can be told to fail its probe. */
async function startApplication() {
  let well = true;
  const app = createHttpServer((request, response) => {
    response.statusCode = request.url === "/health" && !well ? 503 : 200;
    response.end("cart");
  });
  await new Promise<void>((done) => app.listen(0, "127.0.0.1", done));
  closers.push(() => app.close());
  return {
    port: (app.address() as AddressInfo).port,
    fail() {
      well = false;
    },
  };
}

/** `<entry> <health>` of what clients of Kubernetes see, and which addresses get requests. */
const stateOf = async ({ plane, url }: Awaited<ReturnType<typeof startPlane>>) => {
  const { items } = (await (await fetch(url())).json()) as {
    items: { metadata: { name: string }; status?: { conditions: { status: string }[] } }[];
  };
  const [service] = plane.mesh().endpoints.values();
  const endpoints = [...(service?.byPort.get(80) ?? [])];
  return {
    entries: items.map(({ metadata, status }) => `${metadata.name} ${status?.conditions[0]?.status ?? "unknown"}`),
    served: endpoints.filter(({ ready }) => ready).map(({ address, port }) => `${address}:${port}`),
  };
};

const wait = { timeout: 60_000, interval: 100 };

function run(command: readonly string[], folder: string): ChildProcess {
  const [program = "", ...args] = command;
  const child = spawn(program, [...args, "-c", join(folder, "bootstrap.json")], { stdio: "ignore" });
  closers.push(() => child.kill("SIGKILL"));
  return child;
}

test.skipIf(!existsSync(envoy))(
  "workloads of a group come and go with their proxies, are probed, and outlive their control plane",
  { timeout: 180_000 },
  async () => {
    const [folder, clean] = await tempFolder();
    closers.push(clean);
    const store = new MemoryConfigStore({ clock });
    const parsed = parseDocuments(mesh);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    await store.commit(
      parsed.value.map((object) => ({ op: "put" as const, object })),
      "test",
    );
    const first = await startPlane(folder, store);
    const applications = [await startApplication(), await startApplication()];
    const folders = [join(folder, "a"), join(folder, "b")];
    const join2 = async (index: number, account = "cart", ...more: string[]) => {
      const { identities } = first.plane;
      if (!identities) throw new Error("no authority");
      const pin = createHash("sha256").update(new X509Certificate(identities.rootPem).raw).digest("base64url");
      const { token } = identities.tokens.create({ namespace: "default", serviceAccount: account, ttlSec: 600 });
      return limpid(
        ...[
          "--token",
          `${token}.${pin}`,
          "--name",
          `cart-${"ab"[index]}`,
          "--group",
          "cart",
          "--ip",
          `127.0.8.${index + 1}`,
        ],
        ...["--inbound", `9080:${applications[index]?.port}`, "--out", folders[index] ?? "", ...more],
      );
    };
    expect(await join2(0, "other")).toContain(
      "workloads of WorkloadGroup default/cart have the service account cart, and this one has other",
    );
    expect(await join2(0)).toContain("joined");
    expect(await join2(1)).toContain("limpid join --renew --keep --report-health");

    // The bundled sidecar probes by itself; beside Envoy the command does.
    run(sidecar, folders[0] ?? "");
    const second = run([envoy, "--use-dynamic-base-id", "-l", "error"], folders[1] ?? "");
    const reporting = new AbortController();
    closers.push(() => reporting.abort());
    const reporter = spawn(
      process.execPath,
      [
        resolve(import.meta.dirname, "../main.ts"),
        ...["join", "--renew", "--keep", "--report-health", "--port-offset", String(offset), "--out", folders[1] ?? ""],
      ],
      { stdio: "ignore" },
    );
    closers.push(() => reporter.kill("SIGKILL"));
    const both = {
      entries: ["cart-127.0.8.1 True", "cart-127.0.8.2 True"],
      served: ["127.0.8.1:9080", "127.0.8.2:9080"],
    };
    await vi.waitFor(async () => expect(await stateOf(first)).toEqual(both), wait);
    const revision = await store.revision();

    applications[0]?.fail();
    const one = { entries: ["cart-127.0.8.1 False", "cart-127.0.8.2 True"], served: ["127.0.8.2:9080"] };
    await vi.waitFor(async () => expect(await stateOf(first)).toEqual(one), wait);

    // What an object says of itself is its group's to change.
    const body = JSON.stringify({ spec: { weight: 3 } });
    const headers = { "content-type": "application/merge-patch+json" };
    const patched = await fetch(first.url("/cart-127.0.8.1"), { method: "PATCH", headers, body });
    expect([patched.status, await patched.text()]).toEqual([
      409,
      expect.stringContaining("is that of a workload that registered itself: change the WorkloadGroup default/cart"),
    ]);
    const watching = await fetch(first.url("?watch=true"), { signal: reporting.signal });
    let heard = "";
    void (async () => {
      for await (const chunk of watching.body ?? []) heard += Buffer.from(chunk).toString();
    })().catch(() => undefined);
    await vi.waitFor(() => expect(heard).toContain('"type":"ADDED"'), wait);

    second.kill("SIGKILL");
    await vi.waitFor(() => expect(heard).toContain('"type":"DELETED"'), wait);
    expect(await stateOf(first)).toEqual({ entries: ["cart-127.0.8.1 False"], served: [] });
    // None of it is anybody's change.
    expect(await store.revision()).toBe(revision);

    await first.stop();
    const next = await startPlane(folder, store);
    expect((await stateOf(next)).entries).toEqual(["cart-127.0.8.1 False"]);
    await vi.waitFor(
      () => expect(next.plane.registrations.get("default/cart-127.0.8.1")?.disconnectedAt).toBeNull(),
      wait,
    );
    run([envoy, "--use-dynamic-base-id", "-l", "error"], folders[1] ?? "");
    await vi.waitFor(async () => expect((await stateOf(next)).served).toEqual(["127.0.8.2:9080"]), wait);
  },
);
