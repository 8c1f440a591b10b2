import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openCertificateAuthority } from "../ca/certificate-authority.ts";
import type { SignedCertificates } from "../contract/index.ts";
import { systemClock } from "../lib/clock.ts";
import { certificateReport, expiringOf } from "./certificates.ts";

let folder = "";
let rootPem = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "limpid-roots-"));
  ({ rootPem } = await openCertificateAuthority(folder, { clock: systemClock, trustDomain: "cluster.local" }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const day = 86_400_000;
const now = Date.now();
const id = (account: string) => `spiffe://cluster.local/ns/default/sa/${account}`;
const signed = (account: string, issuedMs: number): SignedCertificates["certificates"][number] => ({
  serial: `${account}${issuedMs}`,
  spiffeUri: id(account),
  notBeforeMs: issuedMs,
  notAfterMs: issuedMs + day,
  issuedMs,
  by: "stream",
});
const proxy = (account: string, connected = true) => ({
  ...{ id: account, name: `${account}-v1`, namespace: "default", identity: id(account), connected },
});

it("has the newest certificate of each identity with who shows it, those that end first at the top, and the roots", () => {
  const certificates = [signed("a", now - day / 2), signed("b", now - 0.9 * day), signed("a", now - 1000)];
  const report = certificateReport({ certificates, revoked: [], rootPem }, [proxy("a"), proxy("b", false)], now);
  expect(report.certificates).toMatchObject([
    { spiffeUri: id("b"), state: "late", good: 1, proxies: [{ name: "default/b-v1", connected: false }] },
    { spiffeUri: id("a"), state: "good", good: 2, serial: `a${now - 1000}` },
  ]);
  expect(report.roots).toMatchObject([{ state: "good", fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  const [root] = report.roots;
  expect(
    certificateReport({ certificates: [], revoked: [], rootPem }, [], (root?.notAfterMs ?? 0) - day).roots,
  ).toMatchObject([{ state: "late" }]);
});

it("has who was revoked beside its certificate, and apart without one", () => {
  const revoked = ["a", "gone"].map((account) => ({ spiffeUri: id(account), atMs: now, reason: "lost" }));
  const report = certificateReport({ certificates: [signed("a", now)], revoked, rootPem: "" }, [], now);
  expect(report.certificates).toMatchObject([{ revoked: { reason: "lost" } }]);
  expect(report.revoked.map(({ spiffeUri }) => spiffeUri)).toEqual([id("gone")]);
});

it("counts as trouble what somebody relies on and nobody replaced", () => {
  const late = now - 0.9 * day;
  const certificates = ["relied", "gone", "revoked"].map((account) => signed(account, late));
  const revoked = [{ spiffeUri: id("revoked"), atMs: now, reason: "" }];
  const proxies = [proxy("relied"), proxy("gone", false), proxy("revoked")];
  expect(expiringOf(certificateReport({ certificates, revoked, rootPem }, proxies, now))).toBe(1);
});
