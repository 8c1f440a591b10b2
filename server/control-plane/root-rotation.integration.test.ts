import { join } from "node:path";
import { connect } from "node:tls";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type CertificateAuthority, openCertificateAuthority } from "../ca/certificate-authority.ts";
import { rotateRoot } from "../ca/rotate-root.ts";
import { spiffeIdOf } from "../ca/testing/tls.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { type Closers, freePort, proxyKinds, startApplication, startScenario } from "./testing/scenario.ts";

const closers: Closers = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const strict = (port: number) => `
apiVersion: v1
kind: Service
metadata: { name: reviews, namespace: default }
spec: { selector: { app: reviews }, ports: [{ name: http, port: 80, targetPort: ${port} }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: reviews-v1, namespace: default }
spec: { address: 127.0.0.1, labels: { app: reviews } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: default }
spec: { mtls: { mode: STRICT } }
`;

interface Client {
  key: string;
  cert: string;
  ca: string;
}

const clientOf = async (authority: CertificateAuthority, ca = authority.rootPem): Promise<Client> => {
  const { keyPem: key, chainPem: cert } = await authority.issue({ spiffeUri: spiffeIdOf("caller"), ttlSec: 600 });
  return { key, cert, ca };
};

/** One request over mutual TLS, on a connection of its own: the status, or why there was none. */
const ask = (port: number, client: Client): Promise<string> =>
  new Promise((done) => {
    let answer = "";
    const at = { host: "127.0.0.1", port, ALPNProtocols: ["istio"], checkServerIdentity: () => undefined };
    const socket = connect({ ...at, ...client }, () =>
      socket.write("GET / HTTP/1.1\r\nhost: reviews\r\nconnection: close\r\n\r\n"),
    );
    socket.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
    });
    socket.on("close", () => done(/^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? "closed"));
    socket.on("error", (error) => done(error.message));
  });

const soon = { timeout: 30_000, interval: 50 };

describe.each(proxyKinds)("a root gives way to another while $kind runs", (kind) => {
  it.skipIf(kind.missing)(
    "no call fails, and at last the old one is refused",
    async () => {
      const port = await freePort();
      const application = await startApplication(closers);
      const metadata = {
        LABELS: { app: "reviews" },
        HTTP_PROXY_PORT: String(await freePort()),
        INGRESS: { [port]: `127.0.0.1:${application}` },
      };
      const id = "sidecar~127.0.0.1~reviews-v1.default~default.svc.cluster.local";
      const scenario = await startScenario(kind, { id, metadata }, closers, { reissueWithinMs: 200 });
      await scenario.apply(strict(port));
      const { authority, authorityFolder: folder } = scenario;
      const [oldRoot, old] = [authority.rootPem, await clientOf(authority)];
      await vi.waitFor(async () => expect(await ask(port, old)).toBe("200"), soon);
      const rotate = async (force = false) => {
        const { stage } = await rotateRoot(folder, { now: clock.now(), force });
        await authority.refresh();
        return stage;
      };

      // Whoever calls all the time, as workloads of the mesh do: by what the mesh has given them last.
      let current = old;
      let calling = true;
      const failed: string[] = [];
      let calls = 0;
      const loop = (async () => {
        while (calling) {
          const answer = await ask(port, current);
          calls += 1;
          if (answer !== "200") failed.push(answer);
        }
      })();

      expect(await rotate()).toBe("announced");
      const both = authority.rootPem;
      expect(both.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
      const next = await openCertificateAuthority(join(folder, "next"), { clock, trustDomain: "cluster.local" });
      const fresh = await clientOf(next, both);
      // It is trusted before anything is signed by it.
      await vi.waitFor(async () => expect(await ask(port, fresh)).toBe("200"), soon);
      current = await clientOf(authority, both);

      expect(await rotate()).toBe("switched");
      const byNewAlone = { ...fresh, ca: next.rootPem };
      await vi.waitFor(async () => expect(await ask(port, byNewAlone)).toBe("200"), soon);
      expect(await ask(port, { ...old, ca: both })).toBe("200");
      current = await clientOf(authority, both);

      expect(await rotate(true)).toBe("none");
      expect(authority.rootPem).not.toContain(oldRoot.trim());
      await vi.waitFor(async () => expect(await ask(port, { ...old, ca: both })).not.toBe("200"), soon);
      expect(await ask(port, byNewAlone)).toBe("200");
      calling = false;
      await loop;
      expect(failed).toEqual([]);
      expect(calls).toBeGreaterThan(10);
    },
    120_000,
  );
});
