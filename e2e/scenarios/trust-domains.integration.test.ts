import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cleanups } from "./harness/cleanups.ts";
import { ScenarioMesh } from "./harness/mesh.ts";
import { envoyMissing, type ProxyKind, whySkipped } from "./harness/proxy.ts";

const old = "old.example";
const kinds: ProxyKind[] = ["limpid sidecar", "Envoy"];

const aliases = (...names: string[]) => `
apiVersion: limpid.dev/v1alpha1
kind: MeshConfig
metadata: { name: default }
spec: { trustDomainAliases: [${names.join(", ")}] }`;
const strict = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: ratings, namespace: default }
spec: { selector: { matchLabels: { app: ratings } }, mtls: { mode: STRICT } }`;
const policy = (action: string, source: string) => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: callers, namespace: default }
spec: { selector: { matchLabels: { app: ratings } }, action: ${action}, rules: [{ from: [{ source: ${source} }] }] }`;

for (const kind of kinds) {
  const skipped = kind === "Envoy" && envoyMissing;
  describe.skipIf(skipped)(`trust-domain aliases on ${kind}${whySkipped(kind)}`, () => {
    const cleanups = new Cleanups();
    let mesh: ScenarioMesh;
    /** How a caller with a certificate of each trust domain connects. */
    let callers: Record<"new" | "old" | "other" | "oldStranger", ConnectionOptions>;

    beforeAll(async () => {
      mesh = await ScenarioMesh.start(kind);
      cleanups.add(() => mesh.close());
      const showing = async (trustDomain: string, account: string) => {
        const { keyPem: key, chainPem: cert } = await mesh.authority.issue(trustDomain, account);
        return { key, cert, ca: mesh.authority.authority.rootPem, ALPNProtocols: ["istio"] };
      };
      callers = {
        new: await showing("cluster.local", "caller"),
        old: await showing(old, "caller"),
        other: await showing("other.example", "caller"),
        oldStranger: await showing(old, "stranger"),
      };
    });
    afterAll(() => cleanups.run());

    /** What each caller is answered; a connection that is refused is "refused". */
    const outcomes = async () => {
      const entries = Object.entries(callers).map(async ([name, tls]) => {
        const answer = await mesh.callServer({ tls }).catch(() => undefined);
        return [name, answer?.status ?? "refused"] as const;
      });
      return Object.fromEntries(await Promise.all(entries));
    };

    it("lets in who shows a certificate of the old trust domain while that is an alias, and no other", async () => {
      await mesh.reset(strict);
      expect(await outcomes()).toEqual({ new: 200, old: "refused", other: "refused", oldStranger: "refused" });
      await mesh.reset(strict, aliases(old));
      expect(await outcomes()).toEqual({ new: 200, old: 200, other: "refused", oldStranger: 200 });
      const { echo } = await mesh.callServer({ tls: callers.old });
      expect(echo?.headers["x-forwarded-client-cert"]).toContain(`URI=spiffe://${old}/ns/default/sa/caller`);
      await mesh.reset(strict);
      expect(await outcomes()).toMatchObject({ new: 200, old: "refused" });
    });

    it.each([
      ["ALLOW", '{ principals: ["cluster.local/ns/default/sa/caller"] }', { new: 200, old: 200, oldStranger: 403 }],
      ["ALLOW", `{ principals: ["${old}/ns/default/sa/caller"] }`, { new: 200, old: 200, oldStranger: 403 }],
      ["ALLOW", '{ principals: ["*.example/ns/default/sa/caller"] }', { new: 200, old: 200, oldStranger: 403 }],
      ["ALLOW", '{ principals: ["elsewhere/ns/default/sa/caller"] }', { new: 403, old: 403, oldStranger: 403 }],
      ["ALLOW", '{ principals: ["*"] }', { new: 200, old: 200, oldStranger: 200 }],
      ["DENY", '{ principals: ["cluster.local/ns/default/sa/caller"] }', { new: 403, old: 403, oldStranger: 200 }],
      ["DENY", '{ notPrincipals: ["cluster.local/ns/default/sa/caller"] }', { new: 200, old: 200, oldStranger: 403 }],
      ["DENY", "{ trustDomains: [cluster.local] }", { new: 403, old: 403, oldStranger: 403 }],
    ])("%s %s means whoever has the id in any of the trust domains", async (action, source, expected) => {
      await mesh.reset(strict, aliases(old), policy(action, source));
      expect(await outcomes()).toEqual({ ...expected, other: "refused" });
    });

    it("calls a server that still has a certificate of the old trust domain", async () => {
      const { keyPem: key, chainPem: cert } = await mesh.authority.issue(old, "legacy");
      const ca = mesh.authority.authority.rootPem;
      const server = createServer(
        { key, cert, ca, requestCert: true, rejectUnauthorized: true, ALPNProtocols: ["istio"] },
        (_, response) => void response.end("legacy"),
      );
      cleanups.add(() => void server.close());
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
      const legacy = `
apiVersion: v1
kind: Service
metadata: { name: legacy, namespace: default }
spec: { selector: { app: legacy }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: legacy-v1, namespace: default }
spec: { address: 127.0.0.1, ports: { http: ${(server.address() as AddressInfo).port} }, labels: { app: legacy }, serviceAccount: legacy }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: legacy, namespace: default }
spec: { host: legacy, trafficPolicy: { tls: { mode: ISTIO_MUTUAL } } }`;
      await mesh.reset(legacy);
      expect((await mesh.call({ host: "legacy:9080" })).status).toBe(503);
      await mesh.reset(legacy, aliases(old));
      expect(await mesh.call({ host: "legacy:9080" })).toMatchObject({ status: 200, body: "legacy" });
    });
  });
}
