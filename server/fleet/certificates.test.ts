import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootstrapRootPath } from "../ca/authority-files.ts";
import { openCertificateAuthority } from "../ca/certificate-authority.ts";
import { shakeHands, spiffeIdOf, tlsOf } from "../ca/testing/tls.ts";
import { writeCertificate } from "../ca/write-certificate.ts";
import { systemClock } from "../lib/clock.ts";
import type { ProxyIdentity } from "./bootstrap.ts";
import { bootstrapCertificate, certifyProxies } from "./certificates.ts";

const clientAuth = "1.3.6.1.5.5.7.3.2";
let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "limpid-certificates-"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const proxy = (workload: string, serviceAccount = workload): ProxyIdentity => ({
  type: "sidecar",
  workload,
  namespace: "default",
  serviceAccount,
  labels: {},
  inboundPorts: [],
});
const chainOf = (workload: string) => readFileSync(bootstrapCertificate(data, workload).chain, "utf8");

describe("bootstrap certificates", () => {
  it("are of an authority of their own, each for its service account", async () => {
    await certifyProxies(data, [proxy("reviews-v1", "reviews"), proxy("ratings-v1", "ratings")]);
    const root = new X509Certificate(readFileSync(bootstrapRootPath(data)));
    const leaf = new X509Certificate(chainOf("reviews-v1"));
    expect(leaf.subjectAltName).toBe("URI:spiffe://cluster.local/ns/default/sa/reviews");
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.keyUsage).toEqual([clientAuth]);
    expect(new X509Certificate(chainOf("ratings-v1")).subjectAltName).toContain("/sa/ratings");
  });

  it("are made anew for a mesh that is called otherwise", async () => {
    await certifyProxies(data, [proxy("reviews-v1", "reviews")]);
    await certifyProxies(data, [proxy("reviews-v1", "reviews")], "mesh.example");
    const leaf = new X509Certificate(chainOf("reviews-v1"));
    expect(leaf.subjectAltName).toBe("URI:spiffe://mesh.example/ns/default/sa/reviews");
  });

  it("open no connection to a workload, neither as its caller nor as the one that is called", async () => {
    const mesh = await openCertificateAuthority(join(data, "ca"), { clock: systemClock, trustDomain: "cluster.local" });
    await certifyProxies(data, [proxy("details-v1", "details")]);
    const shown = {
      ca: mesh.rootPem,
      cert: chainOf("details-v1"),
      key: readFileSync(bootstrapCertificate(data, "details-v1").key, "utf8"),
    };
    const workload = tlsOf(mesh, await mesh.issue({ spiffeUri: spiffeIdOf("ratings"), ttlSec: 3600 }));
    await expect(shakeHands(workload, workload)).resolves.toBeDefined();
    await expect(shakeHands(workload, shown)).rejects.toThrow();
    await expect(shakeHands(shown, workload)).rejects.toThrow();
  });

  it("of the mesh's authority, as they once were, are replaced", async () => {
    const mesh = await openCertificateAuthority(join(data, "ca"), { clock: systemClock, trustDomain: "cluster.local" });
    await certifyProxies(data, [proxy("details-v1", "details")]);
    const folder = dirname(bootstrapCertificate(data, "details-v1").key);
    await writeCertificate(folder, await mesh.issue({ spiffeUri: spiffeIdOf("details"), ttlSec: 365 * 86_400 }));
    const old = new X509Certificate(chainOf("details-v1"));
    await certifyProxies(data, [proxy("details-v1", "details")]);
    const now = new X509Certificate(chainOf("details-v1"));
    expect(now.serialNumber).not.toBe(old.serialNumber);
    expect(now.verify(new X509Certificate(mesh.rootPem).publicKey)).toBe(false);
  });

  it("stay while they are good, and are made anew when they are not", async () => {
    const both = [proxy("a"), proxy("b")];
    await certifyProxies(data, both);
    const [a, b] = [chainOf("a"), chainOf("b")];
    await certifyProxies(data, both);
    expect([chainOf("a"), chainOf("b")]).toEqual([a, b]);
    // Another service account, and a key that isn't its own.
    writeFileSync(bootstrapCertificate(data, "b").key, readFileSync(bootstrapCertificate(data, "a").key));
    await certifyProxies(data, [proxy("a", "other"), proxy("b")]);
    expect(new X509Certificate(chainOf("a")).subjectAltName).toContain("/sa/other");
    expect(chainOf("b")).not.toBe(b);
    // Another authority.
    const before = chainOf("b");
    rmSync(join(data, "bootstrap-ca"), { recursive: true });
    await certifyProxies(data, [proxy("b")]);
    expect(chainOf("b")).not.toBe(before);
  });
});
