import { createHash, X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect } from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { type HostAuthority, type HostCertificate, openHostAuthority } from "../ca/host-authority.ts";
import { openSealer } from "../ca/sealer.ts";
import type { HostNames } from "../ca/sign.ts";
import { revocationList } from "../ca/testing/revocation-list.ts";
import { tempFolder } from "../ca/testing/tls.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { sealedStore } from "./secrets/sealed-store.ts";
import {
  type Closers,
  call,
  freePort,
  proxyKinds,
  type Scenario,
  startApplication,
  startScenario,
} from "./testing/scenario.ts";

const soon = { timeout: 20_000, interval: 50 };

interface Answer {
  status: string;
  certificate: X509Certificate | undefined;
  protocol: string | null;
  cipher: string;
  alpn: string | false | null;
}

/** A GET over HTTP/1.1 through TLS; rejects where there is no handshake, or the connection ends without an answer. */
function get(port: number, servername: string, options: ConnectionOptions = {}): Promise<Answer & { body: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername,
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
      ...options,
    });
    let text = "";
    socket.setTimeout(10_000, () => socket.destroy(new Error("no answer in time")));
    socket.on("secureConnect", () =>
      socket.write(`GET / HTTP/1.1\r\nhost: ${servername}\r\nconnection: close\r\n\r\n`),
    );
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("error", reject);
    socket.on("close", () => {
      if (text === "") return reject(new Error("closed without an answer"));
      resolve({ ...seen, status: text.slice(9, 12), body: text });
    });
    let seen: Answer = { status: "", certificate: undefined, protocol: null, cipher: "", alpn: null };
    socket.on("secureConnect", () => {
      seen = {
        status: "",
        certificate: socket.getPeerX509Certificate(),
        protocol: socket.getProtocol(),
        cipher: socket.getCipher().name,
        alpn: socket.alpnProtocol,
      };
    });
  });
}

const indent = (pem: string) => pem.trim().replaceAll("\n", "\n    ");
const secret = (name: string, entries: Record<string, string>, namespace = "istio-ingress", type = "Opaque") => `
apiVersion: v1
kind: Secret
metadata: { name: ${name}, namespace: ${namespace} }
type: ${type}
stringData:
${Object.entries(entries)
  .map(([entry, value]) => `  ${entry}: |\n    ${indent(value)}`)
  .join("\n")}
---
`;

const rule = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: all, namespace: default }
spec: { hosts: ["*"], gateways: [istio-ingress/public], http: [{ route: [{ destination: { host: reviews } }] }] }
---
`;
const gateway = (servers: string, name = "public") => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: ${name}, namespace: istio-ingress }
spec:
  selector: { istio: ingressgateway }
  servers:
${servers}
---
`;

describe.each(proxyKinds)("$kind", (kind) => {
  describe.skipIf(kind.missing)("TLS that ends at a gateway", () => {
    const closers: Closers = [];
    let scenario: Scenario;
    let store: ReturnType<typeof sealedStore>;
    let authority: HostAuthority;
    let folder: string;
    let port = 0;
    let httpPort = 0;
    let client: HostCertificate;
    let other: HostCertificate;

    const issue = (names: HostNames, options: { keys?: "ec" | "rsa"; ttlSec?: number } = {}) =>
      authority.issue({ names, ttlSec: 3_600, ...options });
    const pairOf = (it: HostCertificate) => ({ "tls.crt": it.chainPem, "tls.key": it.keyPem });
    const clientOf = ({ chainPem, keyPem }: HostCertificate): ConnectionOptions => ({ cert: chainPem, key: keyPem });
    const server = (tls: string, hosts = '["*"]', name = "https", protocol = "HTTPS") =>
      `    - { port: { number: ${port}, name: ${name}, protocol: ${protocol} }, hosts: ${hosts}, tls: ${tls} }\n`;
    const names = (it: Answer) => it.certificate?.subjectAltName;

    beforeAll(async () => {
      const [temp, clean] = await tempFolder();
      closers.push(clean);
      folder = temp;
      authority = await openHostAuthority(join(folder, "hosts"), { clock, organization: "test" });
      client = await issue({ uris: ["spiffe://example.com/alice"] });
      other = await issue({ dns: ["bob.example.com"] });
      [port, httpPort] = [await freePort(), await freePort()];
      const sealer = await openSealer(join(folder, "secrets.key"));
      scenario = await startScenario(
        kind,
        {
          id: "router~127.0.0.1~gateway.istio-ingress~istio-ingress.svc.cluster.local",
          metadata: { LABELS: { istio: "ingressgateway" } },
        },
        closers,
        { sealer, translateOptions: { systemCaPath: join(folder, "hosts/root-cert.pem") } },
        (inner) => {
          store = sealedStore(inner, sealer);
          return store;
        },
      );
      const application = await startApplication(closers);
      await scenario.apply(`
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 80, targetPort: http }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v1, namespace: default }
spec: { address: 127.0.0.1, ports: { http: ${application} }, labels: { app: reviews } }
---
${rule}`);
    }, 60_000);
    afterEach(async () => {
      const { items } = await store.list();
      await scenario.remove(items.filter((it) => ["Gateway", "Secret"].includes(it.kind)));
    });
    afterAll(async () => {
      for (const close of closers.splice(0).reverse()) await close();
    });

    const until = (check: () => Promise<void>) => vi.waitFor(check, soon);

    test("SIMPLE: several names on one port each show their own certificate; a new one is shown without a new listener", async () => {
      const [shop, bank] = [await issue({ dns: ["shop.example.com"] }), await issue({ dns: ["*.bank.example.com"] })];
      await scenario.apply(
        secret("shop", pairOf(shop), "istio-ingress", "kubernetes.io/tls") +
          secret("bank", { cert: bank.chainPem, key: bank.keyPem }) +
          gateway(
            server("{ mode: SIMPLE, credentialName: shop }", "[shop.example.com]", "shop") +
              server("{ mode: SIMPLE, credentialName: bank }", '["*.bank.example.com"]', "bank") +
              `    - { port: { number: ${httpPort}, name: http, protocol: HTTP }, hosts: ["*"], tls: { httpsRedirect: true } }\n`,
          ),
      );
      await until(async () => expect(names(await get(port, "shop.example.com"))).toBe("DNS:shop.example.com"));
      const answer = await get(port, "a.bank.example.com", { ca: authority.rootPem, rejectUnauthorized: true });
      expect(answer).toMatchObject({ status: "200", alpn: "http/1.1" });
      expect(names(answer)).toBe("DNS:*.bank.example.com");
      await expect(get(port, "elsewhere.example.com")).rejects.toThrow();
      expect(await call(httpPort, { path: "/x", headers: { host: "shop.example.com" } })).toMatchObject({
        status: 301,
        headers: { location: "https://shop.example.com/x" },
      });
      const renewed = await issue({ dns: ["shop.example.com"] });
      await scenario.apply(secret("shop", pairOf(renewed), "istio-ingress", "kubernetes.io/tls"));
      const serial = new X509Certificate(renewed.chainPem).serialNumber;
      await until(async () => expect((await get(port, "shop.example.com")).certificate?.serialNumber).toBe(serial));
    });

    test("MUTUAL: who shows no certificate, or a wrong one, is not served; OPTIONAL_MUTUAL serves who shows none", async () => {
      const shop = await issue({ dns: ["shop.example.com"] });
      const foreign = await openHostAuthority(join(folder, "foreign"), { clock, organization: "foreign" });
      const stranger = await foreign.issue({ names: { dns: ["x"] }, ttlSec: 3_600 });
      const tls = (mode: string, more = "") => gateway(server(`{ mode: ${mode}, credentialName: shop${more} }`));
      await scenario.apply(secret("shop", { ...pairOf(shop), "ca.crt": authority.rootPem }) + tls("MUTUAL"));
      await until(async () => expect((await get(port, "shop.example.com", clientOf(client))).status).toBe("200"));
      const told = await get(port, "shop.example.com", clientOf(client));
      expect(told.body).toContain("spiffe://example.com/alice");
      await expect(get(port, "shop.example.com")).rejects.toThrow();
      await expect(get(port, "shop.example.com", clientOf(stranger))).rejects.toThrow();
      await scenario.apply(tls("OPTIONAL_MUTUAL"));
      await until(async () => expect((await get(port, "shop.example.com")).status).toBe("200"));
      expect((await get(port, "shop.example.com", clientOf(client))).status).toBe("200");
      await expect(get(port, "shop.example.com", clientOf(stranger))).rejects.toThrow();
      await scenario.apply(tls("MUTUAL", `, subjectAltNames: ["spiffe://example.com/alice"]`));
      await until(async () => await expect(get(port, "shop.example.com", clientOf(other))).rejects.toThrow());
      expect((await get(port, "shop.example.com", clientOf(client))).status).toBe("200");
    });

    test("certificates by hash and by key, taken back, and of authorities in a Secret of their own", async () => {
      const shop = await issue({ dns: ["shop.example.com"] });
      const leaf = new X509Certificate(client.chainPem);
      const hash = createHash("sha256").update(leaf.raw).digest("hex");
      const spki = createHash("sha256")
        .update(leaf.publicKey.export({ type: "spki", format: "der" }))
        .digest("base64");
      const crl = await revocationList(join(folder, "hosts"), [other.serial]);
      const tls = (more: string) =>
        gateway(server(`{ mode: MUTUAL, credentialName: shop, caCertCredentialName: people${more} }`));
      await scenario.apply(
        secret("shop", pairOf(shop)) +
          secret("people", { cacert: authority.rootPem }) +
          tls(`, verifyCertificateHash: ["${hash}"]`),
      );
      const served = async (who: HostCertificate) =>
        get(port, "shop.example.com", clientOf(who)).then(
          ({ status }) => status,
          () => "none",
        );
      await until(async () => expect(await served(client)).toBe("200"));
      expect(await served(other)).toBe("none");
      await scenario.apply(tls(`, verifyCertificateSpki: ["${spki}"]`));
      await until(async () => expect([await served(client), await served(other)]).toEqual(["200", "none"]));
      await scenario.apply(tls(""));
      await until(async () => expect([await served(client), await served(other)]).toEqual(["200", "200"]));
      await scenario.apply(secret("people", { cacert: authority.rootPem, crl }));
      await until(async () => expect([await served(client), await served(other)]).toEqual(["200", "none"]));
    });

    test("versions and cipher suites; two certificates, by what the client can check", async () => {
      const name = "two.example.com";
      const [ec, rsa] = [await issue({ dns: [name] }), await issue({ dns: [name] }, { keys: "rsa" })];
      const suite = "ECDHE-RSA-AES128-GCM-SHA256";
      const other = "ECDHE-ECDSA-AES128-GCM-SHA256";
      await scenario.apply(
        secret("ec", pairOf(ec)) +
          secret("rsa", pairOf(rsa)) +
          gateway(
            server(
              `{ mode: SIMPLE, credentialNames: [ec, rsa], maxProtocolVersion: TLSV1_2, cipherSuites: [${suite}, ${other}] }`,
            ),
          ),
      );
      const withSuite = async (ciphers: string) => {
        const { certificate, protocol, cipher } = await get(port, name, { ciphers, maxVersion: "TLSv1.2" });
        return [certificate?.publicKey.asymmetricKeyType, protocol, cipher];
      };
      await until(async () => expect(await withSuite(suite)).toEqual(["rsa", "TLSv1.2", suite]));
      expect(await withSuite(other)).toEqual(["ec", "TLSv1.2", other]);
      await expect(get(port, name, { minVersion: "TLSv1.3" })).rejects.toThrow();
      await expect(withSuite("ECDHE-RSA-AES256-GCM-SHA384")).rejects.toThrow();
      await scenario.apply(gateway(server("{ mode: SIMPLE, credentialName: ec, minProtocolVersion: TLSV1_3 }")));
      await until(async () => expect((await get(port, name)).protocol).toBe("TLSv1.3"));
      await expect(get(port, name, { maxVersion: "TLSv1.2" })).rejects.toThrow();
    });

    test("files on the gateway's machine; the mesh's own certificates", async () => {
      const shop = await issue({ dns: ["files.example.com"] });
      const [cert, key, ca] = ["cert.pem", "key.pem", "hosts/root-cert.pem"].map((name) => join(folder, name)) as [
        string,
        string,
        string,
      ];
      await writeFile(cert, shop.chainPem);
      await writeFile(key, shop.keyPem);
      await scenario.apply(
        gateway(server(`{ mode: MUTUAL, serverCertificate: ${cert}, privateKey: ${key}, caCertificates: ${ca} }`)),
      );
      await until(async () => expect(names(await get(port, "x", clientOf(client)))).toBe("DNS:files.example.com"));
      await expect(get(port, "x")).rejects.toThrow();
      await scenario.apply(gateway(server("{ mode: ISTIO_MUTUAL }")));
      const peer = await scenario.authority.issue({ spiffeUri: "spiffe://cluster.local/ns/a/sa/b", ttlSec: 3_600 });
      const own = "URI:spiffe://cluster.local/ns/istio-ingress/sa/default";
      await until(async () => expect(names(await get(port, "x", { cert: peer.chainPem, key: peer.keyPem }))).toBe(own));
      await expect(get(port, "x", clientOf(client))).rejects.toThrow();
    });

    test("a Secret that is missing, or of another namespace, serves nobody and keeps nobody else from being served", async () => {
      const shop = await issue({ dns: ["shop.example.com"] });
      await scenario.apply(
        secret("shop", pairOf(shop)) +
          secret("elsewhere", pairOf(shop), "default") +
          gateway(
            server("{ mode: SIMPLE, credentialName: shop }", "[shop.example.com]", "shop") +
              server("{ mode: SIMPLE, credentialName: elsewhere }", "[elsewhere.example.com]", "elsewhere"),
          ),
      );
      await until(async () => expect((await get(port, "shop.example.com")).status).toBe("200"));
      await expect(get(port, "elsewhere.example.com")).rejects.toThrow();
      const shown = JSON.stringify(await store.list({ kind: "Secret" })) + (await scenario.proxy.admin("/config_dump"));
      for (const line of shop.keyPem.split("\n").slice(1, -2)) expect(shown).not.toContain(line);
    });

    test("TLS that ends for TCP, beside what is passed through", async () => {
      const shop = await issue({ dns: ["db.example.com"] });
      const echo = createTcpServer((socket) => socket.on("error", () => undefined).pipe(socket));
      await new Promise<void>((done) => echo.listen(0, "127.0.0.1", done));
      closers.push(() => echo.close());
      await scenario.apply(`${secret("shop", pairOf(shop))}
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: echo, namespace: default }
spec: { hosts: [echo.test], resolution: STATIC, ports: [{ number: 7, name: tcp, protocol: TCP }], endpoints: [{ address: 127.0.0.1, ports: { tcp: ${(echo.address() as AddressInfo).port} } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: db, namespace: default }
spec: { hosts: [db.example.com], gateways: [istio-ingress/public], tcp: [{ route: [{ destination: { host: echo.test } }] }] }
---
${gateway(server("{ mode: SIMPLE, credentialName: shop }", "[db.example.com]", "db", "TLS"))}`);
      const says = () =>
        new Promise<string>((done) => {
          const socket = connect({ host: "127.0.0.1", port, servername: "db.example.com", ca: authority.rootPem }, () =>
            socket.write("hello"),
          );
          socket.on("data", (data) => {
            done(String(data));
            socket.destroy();
          });
          socket.on("error", (error) => done(error.message));
        });
      await until(async () => expect(await says()).toBe("hello"));
    });

    test("credentialName of a DestinationRule: what to show a server, and whom to believe it", async () => {
      const bank = await issue({ dns: ["bank.test"] });
      const options = {
        key: bank.keyPem,
        cert: bank.chainPem,
        ca: authority.rootPem,
        requestCert: true,
        rejectUnauthorized: true,
      };
      const server = createHttpsServer(options, (incoming, response) => {
        const socket = incoming.socket as unknown as { getPeerX509Certificate(): X509Certificate };
        response.end(socket.getPeerX509Certificate().subjectAltName);
      });
      await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
      closers.push(
        () => server.closeAllConnections(),
        () => server.close(),
      );
      await scenario.apply(`${secret("to-bank", { ...pairOf(client), "ca.crt": authority.rootPem })}
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: bank, namespace: default }
spec: { hosts: [bank.test], resolution: STATIC, ports: [{ number: 80, name: http, protocol: HTTP }], endpoints: [{ address: 127.0.0.1, ports: { http: ${(server.address() as AddressInfo).port} } }] }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: bank, namespace: default }
spec: { host: bank.test, trafficPolicy: { tls: { mode: MUTUAL, credentialName: to-bank } } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: bank, namespace: default }
spec: { hosts: [bank.test], gateways: [istio-ingress/outward], http: [{ route: [{ destination: { host: bank.test } }] }] }
---
${gateway(`    - { port: { number: ${httpPort}, name: http, protocol: HTTP }, hosts: [bank.test] }\n`, "outward")}`);
      await until(async () => {
        const { status, body } = await call(httpPort, { headers: { host: "bank.test" } });
        expect([status, body]).toEqual([200, "URI:spiffe://example.com/alice"]);
      });
    });
  });
});
