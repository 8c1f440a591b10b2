import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProxyIdentity } from "./bootstrap.ts";
import { bootstrapCertificate, certifyProxies } from "./certificates.ts";

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
  it("are of the mesh's authority, each for its service account", async () => {
    await certifyProxies(data, [proxy("reviews-v1", "reviews"), proxy("ratings-v1", "ratings")]);
    const root = new X509Certificate(readFileSync(bootstrapCertificate(data, "reviews-v1").root));
    const leaf = new X509Certificate(chainOf("reviews-v1"));
    expect(leaf.subjectAltName).toBe("URI:spiffe://cluster.local/ns/default/sa/reviews");
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(new X509Certificate(chainOf("ratings-v1")).subjectAltName).toContain("/sa/ratings");
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
    rmSync(join(data, "ca"), { recursive: true });
    await certifyProxies(data, [proxy("b")]);
    expect(chainOf("b")).not.toBe(before);
  });
});
