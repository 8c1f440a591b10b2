import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { request } from "node:https";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, checkServerIdentity, connect as connectTls, type PeerCertificate } from "node:tls";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { meshPorts } from "../server/fleet/ports.ts";
import { launchBrowser, openPage } from "./browser.ts";
import { portsOffLoopback } from "./listening.ts";
import { limpid, startMesh, type TestMesh } from "./mesh.ts";
import { type Authority, createAuthority } from "./scenarios/harness/certificates.ts";
import { browser as chromium } from "./tools.ts";

/** As other machines see this one. */
const address = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;
const host = address ?? "";
const missing = address === undefined || process.platform !== "linux" || chromium.missing;
const reason = missing ? ` (skipped: needs Linux, an address besides loopback, and a browser${chromium.reason})` : "";

describe.skipIf(missing)(`a mesh that listens for other machines${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-remote-"));
  const files = { LIMPID_TLS_CERT_FILE: join(folder, "cert.pem"), LIMPID_TLS_KEY_FILE: join(folder, "key.pem") };
  let authority: Authority;
  let root: string;
  let mesh: TestMesh;
  let browser: Browser;
  let ports: ReturnType<typeof meshPorts>;
  let origin: string;

  beforeAll(async () => {
    authority = await createAuthority();
    const { cert, key } = await authority.issue(host);
    root = await authority.root();
    writeFileSync(files.LIMPID_TLS_CERT_FILE, cert);
    writeFileSync(files.LIMPID_TLS_KEY_FILE, key);
    const env = (offset: number) => ({
      ...files,
      LIMPID_LISTEN: host,
      LIMPID_URL: `https://${host}:${meshPorts(offset).dashboardTls}`,
    });
    [mesh, browser] = await Promise.all([startMesh([], 120_000, env), launchBrowser()]);
    ports = meshPorts(mesh.portOffset);
    origin = `https://${host}:${ports.dashboardTls}`;
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
    await authority?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Answer {
    status: number;
    headers: IncomingHttpHeaders;
  }
  /** As a browser that knows the authority. */
  const ask = (
    path: string,
    { method = "GET", headers = {}, body, port = ports.dashboardTls }: Ask = {},
  ): Promise<Answer> =>
    new Promise((done, fail) => {
      // The certificate is that of the address, whatever name the head says.
      const whose = (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate);
      const to = { host, port, path, method, headers, ca: root, agent: false, checkServerIdentity: whose };
      const call = request(to, (response) => {
        response.resume().on("end", () => done({ status: response.statusCode ?? 0, headers: response.headers }));
      });
      call.on("error", fail);
      call.end(body);
    });
  interface Ask {
    method?: string;
    headers?: Record<string, string>;
    body?: string;
    port?: number;
  }
  const json = { "content-type": "application/json" };
  const printedLink = () => /sign in {6}(\S+#link=\S+)/.exec(mesh.output())?.[1] ?? "none";
  const newLink = async () => {
    const { out } = await limpid(["console-link", "-q", "--port-offset", String(mesh.portOffset)], {
      ...process.env,
      LIMPID_URL: origin,
    });
    return out.trim();
  };

  test("signs in by the printed link over HTTPS, in a browser", async () => {
    expect(printedLink()).toMatch(`${origin}/sign-in#link=`);
    const { page } = await openPage(browser, mesh, printedLink(), { signedIn: false, ignoreHTTPSErrors: true }, 60_000);
    await page.getByTestId("user-menu").getByText("admin").waitFor();
    expect(page.url()).toBe(`${origin}/overview`);
    const [cookie] = (await page.context().cookies()).filter(({ name }) => name.includes("session"));
    expect(cookie).toMatchObject({ name: "__Host-limpid-session", secure: true, httpOnly: true, sameSite: "Lax" });
    expect(await page.evaluate(() => document.cookie)).not.toContain("session");
  });

  test("gives a cookie that stays on this host and on TLS, and tells browsers to stay there, too", async () => {
    const [, link] = (await newLink()).split("#link=");
    const headers = { ...json, origin };
    const signed = await ask("/api/sign-in/link", { method: "POST", headers, body: JSON.stringify({ link }) });
    expect(signed.status).toBe(200);
    const [cookie = ""] = signed.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/^__Host-limpid-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=\d+; Secure$/);
    const again = await ask("/api/sign-in/link", { method: "POST", headers, body: JSON.stringify({ link }) });
    expect(again.status).toBe(401);
    const [session = ""] = cookie.split(";");
    for (const path of ["/api/session", "/overview", "/sign-in", "/api/none"]) {
      const { headers: answered } = await ask(path, { headers: { cookie: session } });
      expect([path, answered["strict-transport-security"]]).toEqual([path, "max-age=31536000"]);
    }
    expect((await ask("/api/session", { headers: { cookie: session } })).status).toBe(200);
    expect((await ask("/api/session")).status).toBe(401);
    expect((await fetch(`${mesh.dashboard}/api/session`, { headers: { cookie: session } })).status).toBe(401);
    const plainPage = await fetch(`${mesh.dashboard}/sign-in`);
    expect(plainPage.headers.get("strict-transport-security")).toBeNull();
  });

  test("holds other names, other origins and other certificates off", async () => {
    for (const name of ["evil.example", "127.0.0.1.evil.example", `${host}.evil.example`])
      expect([name, (await ask("/api/session", { headers: { host: name } })).status]).toEqual([name, 421]);
    const [, link] = (await newLink()).split("#link=");
    const body = JSON.stringify({ link });
    for (const from of ["https://evil.example", "null", `http://${host}:${ports.dashboardTls}`, mesh.dashboard]) {
      const { status } = await ask("/api/sign-in/link", { method: "POST", headers: { ...json, origin: from }, body });
      expect([from, status]).toEqual([from, 403]);
    }
    expect((await ask("/api/sign-in/link", { method: "POST", headers: { ...json, origin }, body })).status).toBe(200);
    await expect(tls(ports.dashboardTls, { ca: undefined })).rejects.toThrow(/self-signed|unable to verify/);
  });

  test("nothing that asks nobody can be reached from other machines", async () => {
    const { parts, pid } = await mesh.status();
    const pids = [pid, ...parts.flatMap((part) => part.pid ?? [])];
    expect([...portsOffLoopback(pids)].toSorted((a, b) => a - b)).toEqual(
      [
        ...[ports.dashboardTls, ports.xdsTls, ports.join, ports.configApiTls],
        ...[ports.collectorGrpc, ports.collectorHttp, ports.zipkin, ports.jaeger],
      ].toSorted((a, b) => a - b),
    );
    for (const port of [ports.dashboard, ports.xds, ports.configApi, ports.fleet, ports.gateway])
      await expect(tcp(port), String(port)).rejects.toThrow(/ECONNREFUSED/);
  });

  test("what can be reached asks who it is", async () => {
    expect((await ask("/api/status")).status).toBe(401);
    const { status } = await ask("/api/v1/namespaces", { port: ports.configApiTls });
    expect(status).toBe(401);
    const wrong = { authorization: "Bearer limpid_000000000000_x" };
    expect((await ask("/api/v1/namespaces", { port: ports.configApiTls, headers: wrong })).status).toBe(401);
    for (const [port, path] of [
      [ports.collectorHttp, "/v1/traces"],
      [ports.zipkin, "/api/v2/services"],
      [ports.jaeger, "/api/services"],
    ] as const)
      expect([path, (await ask(path, { port })).status]).toEqual([path, 401]);
    await expect(tls(ports.collectorGrpc)).rejects.toThrow(/certificate required|ECONNRESET|closed/);
    for (const port of [ports.dashboardTls, ports.configApiTls, ports.collectorHttp])
      expect([port, await plainAnswer(port)]).toEqual([port, expect.not.stringMatching(/^HTTP\/1\.1 2/)]);
  });

  test("is refused without a certificate, in a sentence, before anything starts", async () => {
    const env = { ...process.env, LIMPID_LISTEN: host };
    const data = ["--data", join(folder, "data")];
    for (const command of ["up", "dashboard"]) {
      const { code, err } = await limpid([command, "--port-offset", String(mesh.portOffset), ...data], env);
      expect([code, err]).toEqual([1, expect.stringContaining("over HTTPS only: set LIMPID_TLS_CERT_FILE")]);
    }
    const broken = { ...env, ...files, LIMPID_TLS_KEY_FILE: join(folder, "none.pem") };
    const { code, err } = await limpid(["up", "--port-offset", String(mesh.portOffset), ...data], broken);
    expect([code, err]).toEqual([1, expect.stringContaining("LIMPID_TLS_KEY_FILE: ")]);
  });

  const tcp = (port: number) =>
    new Promise<void>((done, fail) => {
      const socket = connect(port, host, () => {
        socket.destroy();
        done();
      });
      socket.on("error", fail);
    });

  /** Shakes hands, and waits for what the server says to it: with TLS 1.3 a client hears of a refusal only after its own end of it. */
  const tls = (port: number, options: ConnectionOptions = {}) =>
    new Promise<void>((done, fail) => {
      const socket = connectTls({ host, port, ca: root, ...options }, () => socket.write("GET / HTTP/1.1\r\n\r\n"));
      socket.on("data", () => {
        socket.destroy();
        done();
      });
      socket.on("error", fail);
      socket.on("close", () => fail(new Error("closed")));
    });

  const plainAnswer = (port: number) =>
    new Promise<string>((done) => {
      let text = "";
      const socket = connect(port, host, () => socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
      socket.on("data", (bytes) => {
        text += bytes.toString("latin1");
      });
      socket.on("error", () => undefined).on("close", () => done(text));
    });
});
