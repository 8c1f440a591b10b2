import { spawn } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { connect } from "node:tls";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type CertificateAuthority, openCertificateAuthority } from "../../ca/certificate-authority.ts";
import { rotateRoot } from "../../ca/rotate-root.ts";
import { tempFolder } from "../../ca/testing/tls.ts";
import { parseDocuments } from "../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { createControlPlane } from "../../control-plane/control-plane.ts";
import type { Identities } from "../../control-plane/identity/identities.ts";
import { meshPorts } from "../../fleet/ports.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { silentLogger as logger } from "../../lib/logger.ts";
import { runJoin } from "./testing/run-join.ts";

const envoy = process.env.LIMPID_ENVOY ?? "";
const proxies = [
  { kind: "Envoy", command: [envoy, "--use-dynamic-base-id", "-l", "error"], missing: !existsSync(envoy) },
  {
    kind: "the bundled sidecar",
    command: [process.execPath, resolve(import.meta.dirname, "../main.ts"), "sidecar"],
    missing: false,
  },
];

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Keeps every port below those that the kernel hands out by itself, and apart from a mesh that runs here. */
const offset = 11_000 + (process.pid % 6_000);
const ports = meshPorts(offset);
const ip = "127.0.7.1";
const cart = "spiffe://cluster.local/ns/default/sa/cart";

const limpid = (...args: string[]) => runJoin(offset, ...args);

async function startPlane(folder: string) {
  const store = new MemoryConfigStore({ clock });
  const authority = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain: "cluster.local" });
  const plane = createControlPlane({
    store,
    xdsPort: ports.xds,
    xdsTls: { port: ports.xdsTls },
    join: { port: ports.join },
    authority,
    clock,
    logger,
  });
  await plane.start();
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= plane.stop());
  closers.push(stop);
  const parsed = parseDocuments(`
apiVersion: v1
kind: Service
metadata: { name: cart, namespace: default }
spec: { selector: { app: cart }, ports: [{ name: http, port: 80, targetPort: 9080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: cart-v1, namespace: default }
spec: { address: ${ip}, labels: { app: cart } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: default }
spec: { mtls: { mode: STRICT } }
`);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  await store.commit(
    parsed.value.map((object) => ({ op: "put" as const, object })),
    "test",
  );
  return { plane, authority, stop };
}

async function startApplication(): Promise<number> {
  const app = createHttpServer((_, response) => response.end("cart"));
  await new Promise<void>((done) => app.listen(0, "127.0.0.1", done));
  closers.push(() => app.close());
  return (app.address() as AddressInfo).port;
}

/** Of a workload of the mesh that calls. */
async function credentialsBy(authority: CertificateAuthority) {
  const { chainPem: cert, keyPem: key } = await authority.issue({
    spiffeUri: "spiffe://cluster.local/ns/a/sa/b",
    ttlSec: 600,
  });
  return { cert, key, ca: authority.rootPem };
}

/** What the application answers one who calls it as a proxy of the mesh does. */
function call(credentials: Awaited<ReturnType<typeof credentialsBy>>): Promise<string> {
  const as = { host: ip, port: 9080, ALPNProtocols: ["istio"], checkServerIdentity: () => undefined };
  return new Promise((done, fail) => {
    let answer = "";
    const socket = connect({ ...as, ...credentials }, () =>
      socket.write("GET / HTTP/1.1\r\nhost: cart\r\nconnection: close\r\n\r\n"),
    );
    socket.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
    });
    socket.on("end", () => (answer === "" ? fail(new Error("no answer")) : done(answer)));
    socket.on("error", fail);
  });
}

/** Serial and name of the certificate that the proxy's inbound port shows to a workload of the mesh. */
async function shown(authority: CertificateAuthority): Promise<{ name: string | undefined; serial: string }> {
  const credentials = await credentialsBy(authority);
  return await new Promise((done, fail) => {
    const socket = connect(
      { host: ip, port: 9080, ...credentials, ALPNProtocols: ["istio"], checkServerIdentity: () => undefined },
      () => {
        const { subjectaltname, serialNumber } = socket.getPeerCertificate();
        done({ name: subjectaltname, serial: serialNumber });
        socket.destroy();
      },
    );
    socket.on("error", fail);
  });
}

/** A token, `limpid join`, and the proxy that it says to start. */
async function joinAndRun(command: string[], folder: string, { tokens, rootPem }: Identities): Promise<string> {
  const pin = createHash("sha256").update(new X509Certificate(rootPem).raw).digest("base64url");
  const { token } = tokens.create({ namespace: "default", serviceAccount: "cart", ttlSec: 60 });
  const out = join(folder, "cart");
  const app = await startApplication();
  const args = ["--name", "cart-v1", "--ip", ip, "--label", "app=cart", "--inbound", `9080:${app}`, "--out", out];
  expect(await limpid("--token", `${token}.${pin}`, ...args)).toContain(`${cart} joined`);
  const [program = "", ...before] = command;
  const proxy = spawn(program, [...before, "-c", join(out, "bootstrap.json")], { stdio: "ignore" });
  const exited = new Promise<void>((done) => proxy.once("exit", () => done()));
  closers.push(async () => {
    proxy.kill("SIGKILL");
    await exited;
  });
  return out;
}

const patience = { timeout: 30_000, interval: 100 };

describe.each(proxies)("$kind", ({ command, missing }) => {
  test.skipIf(missing || process.platform !== "linux")(
    "joins by one command, shows the key that was made here, and takes up the next one while it runs",
    async () => {
      const [folder, clean] = await tempFolder();
      closers.push(clean);
      const { plane, authority } = await startPlane(folder);
      if (!plane.identities) throw new Error("no authority");
      const out = await joinAndRun(command, folder, plane.identities);
      const serialOf = async () =>
        new X509Certificate(await readFile(join(out, "cert-chain.pem"), "utf8")).serialNumber;
      const first = await serialOf();
      await vi.waitFor(
        async () => expect(await shown(authority)).toEqual({ name: `URI:${cart}`, serial: first }),
        patience,
      );
      // Nothing was made for it on the stream.
      const ofCart = plane.identities?.register.list().filter(({ spiffeUri }) => spiffeUri === cart);
      expect(ofCart?.map(({ by }) => by)).toEqual(["token"]);
      expect(await limpid("--renew", "--out", out)).toContain(`${cart} renewed`);
      const second = await serialOf();
      expect(second).not.toBe(first);
      await vi.waitFor(async () => expect((await shown(authority)).serial).toBe(second), patience);
    },
    90_000,
  );

  test.skipIf(missing || process.platform !== "linux")(
    "one root gives way to another, and no call is refused on the way",
    async () => {
      const [folder, clean] = await tempFolder();
      closers.push(clean);
      let mesh = await startPlane(folder);
      if (!mesh.plane.identities) throw new Error("no authority");
      const out = await joinAndRun(command, folder, mesh.plane.identities);
      const first = await credentialsBy(mesh.authority);
      await vi.waitFor(async () => expect(await call(first)).toContain("cart"), patience);
      let callers = [first];
      let [calls, done] = [0, false];
      // Every call is on a connection of its own.
      const traffic = (async () => {
        for (; !done; calls++) for (const caller of callers) expect(await call(caller)).toContain("cart");
      })();
      const rootsKept = [];
      for (const force of [false, false, true]) {
        await rotateRoot(join(folder, "ca"), { now: clock.now(), force });
        await mesh.stop();
        mesh = await startPlane(folder);
        const next = await credentialsBy(mesh.authority);
        // Who is one step behind, and who is not.
        if (!force) callers = [...callers.slice(-1), next];
        else callers = [next];
        await vi.waitFor(async () => expect(await limpid("--renew", "--out", out)).toContain("renewed"), patience);
        const kept = await readFile(join(out, "cert-chain.pem"), "utf8");
        const { serialNumber: serial } = new X509Certificate(kept);
        await vi.waitFor(async () => expect((await shown(mesh.authority)).serial).toBe(serial), patience);
        const before = calls;
        await vi.waitFor(() => expect(calls).toBeGreaterThan(before + 5), patience);
        rootsKept.push((await readFile(join(out, "root-cert.pem"), "utf8")).match(/BEGIN/g)?.length);
      }
      done = true;
      await traffic;
      expect(rootsKept).toEqual([2, 2, 1]);
      await expect(call({ ...first, ca: mesh.authority.rootPem })).rejects.toThrow();
    },
    90_000,
  );
});
