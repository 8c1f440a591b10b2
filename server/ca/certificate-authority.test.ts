import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { openCertificateAuthority } from "./certificate-authority.ts";
import { shakeHands, spiffeIdOf, tempFolder, tlsOf } from "./testing/tls.ts";
import { writeCertificate } from "./write-certificate.ts";

const day = 86_400;
let folder: string;
let clean: () => Promise<void>;
let clock: FakeClock;

beforeEach(async () => {
  const [temp, remove] = await tempFolder();
  folder = join(temp, "ca");
  clean = remove;
  clock = new FakeClock();
  clock.time = Date.now();
});
afterEach(() => clean());

const open = () => openCertificateAuthority(folder, { clock, trustDomain: "cluster.local" });
const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe", encoding: "utf8" });
const hasOpenssl = (() => {
  try {
    return openssl("version") !== "";
  } catch {
    return false;
  }
})();

describe("an authority that is made", () => {
  test("has Istio's files, a key for its owner only, and a root of ten years", async () => {
    const authority = await open();
    expect((await readdir(folder)).sort()).toEqual(["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]);
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    expect([await mode(folder), await mode(join(folder, "ca-key.pem"))]).toEqual([0o700, 0o600]);
    const root = new X509Certificate(authority.rootPem);
    expect(root).toMatchObject({ subject: "O=cluster.local", issuer: "O=cluster.local", ca: true });
    expect(root.verify(root.publicKey)).toBe(true);
    expect(root.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
    expect((root.validToDate.getTime() - clock.now()) / (day * 1000)).toBeCloseTo(3650, 2);
    expect(authority.notAfterMs).toBe(root.validToDate.getTime());
  });

  test("is the same one for all who open it at once, and leaves nothing beside it", async () => {
    const all = await Promise.all(Array.from({ length: 8 }, open));
    expect(new Set(all.map(({ rootPem }) => rootPem)).size).toBe(1);
    expect((await open()).rootPem).toBe(all[0]?.rootPem);
    expect(await readdir(join(folder, ".."))).toEqual(["ca"]);
  });
});

describe("a certificate of a workload", () => {
  test("is an X.509 SVID", async () => {
    const authority = await open();
    const issued = await authority.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: day });
    const leaf = new X509Certificate(issued.chainPem);
    const root = new X509Certificate(authority.rootPem);
    expect(leaf).toMatchObject({
      subject: undefined,
      subjectAltName: "URI:spiffe://cluster.local/ns/default/sa/reviews",
      ca: false,
      keyUsage: ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
    });
    expect(leaf.checkIssued(root) && leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.serialNumber).toBe(issued.serial.toUpperCase());
    expect(issued.serial).toMatch(/^[4-7][0-9a-f]{31}$/);
    expect(leaf.validFromDate.getTime()).toBe(issued.notBeforeMs);
    expect(leaf.validToDate.getTime()).toBe(issued.notAfterMs);
    expect(clock.now() - issued.notBeforeMs).toBeGreaterThanOrEqual(60_000);
    expect(Math.abs(issued.notAfterMs - clock.now() - day * 1000)).toBeLessThanOrEqual(1000);
    expect(issued.chainPem.match(/BEGIN/g)).toHaveLength(1); // whoever checks it has the root
    const other = await authority.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: day });
    expect([other.serial, other.keyPem]).not.toContain(issued.serial);
    expect(other.keyPem).not.toBe(issued.keyPem);
  });

  test("serves on both sides of a handshake, and not beside one of a foreign authority", async () => {
    const authority = await open();
    const [reviews, ratings] = await Promise.all(
      ["reviews", "ratings"].map((name) => authority.issue({ spiffeUri: spiffeIdOf(name), ttlSec: day })),
    );
    if (!reviews || !ratings) throw new Error("not issued");
    expect(await shakeHands(tlsOf(authority, ratings), tlsOf(authority, reviews))).toEqual({
      client: `URI:${spiffeIdOf("reviews")}`,
      server: `URI:${spiffeIdOf("ratings")}`,
    });
    const foreign = await openCertificateAuthority(`${folder}-foreign`, { clock, trustDomain: "cluster.local" });
    const stranger = await foreign.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: day });
    const shown = { ...tlsOf(foreign, stranger), ca: authority.rootPem };
    await expect(shakeHands(tlsOf(authority, ratings), shown)).rejects.toThrow();
    await expect(shakeHands(shown, tlsOf(authority, reviews))).rejects.toThrow();
  });

  test.skipIf(!hasOpenssl)(
    "satisfies OpenSSL's strict reading, which wants the name critical where there is no subject",
    async () => {
      const authority = await open();
      const paths = await writeCertificate(
        join(folder, "../w"),
        await authority.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: day }),
      );
      const root = join(folder, "root-cert.pem");
      for (const purpose of ["sslserver", "sslclient"]) {
        const args = ["-x509_strict", "-purpose", purpose, "-CAfile", root, paths.certificateChain];
        expect(openssl("verify", ...args)).toContain(": OK");
      }
      const text = openssl("x509", "-in", paths.certificateChain, "-noout", "-text");
      expect(text).toMatch(/Subject Alternative Name: critical\s+URI:spiffe:/);
      expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
      expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
      expect(openssl("x509", "-in", root, "-noout", "-text")).toMatch(
        /Key Usage: critical\s+Certificate Sign, CRL Sign\n/,
      );
    },
  );

  test("never outlives the authority, and is not issued after its end", async () => {
    const authority = await open();
    const last = await authority.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: 20 * 365 * day });
    expect(last.notAfterMs).toBe(authority.notAfterMs);
    clock.time = authority.notAfterMs;
    await expect(authority.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: day })).rejects.toThrow(/expired on 20/);
  });

  test("is not issued for another trust domain", async () => {
    const authority = await open();
    const spiffeUri = "spiffe://elsewhere/ns/default/sa/reviews";
    await expect(authority.issue({ spiffeUri, ttlSec: day })).rejects.toThrow(
      "is not of the trust domain cluster.local",
    );
  });

  test("is written for its owner only, and over an older one", async () => {
    const authority = await open();
    const target = join(folder, "../run/reviews");
    for (let turn = 0; turn < 2; turn++) {
      const issued = await authority.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: day });
      const paths = await writeCertificate(target, issued);
      expect(await readFile(paths.key, "utf8")).toBe(issued.keyPem);
      expect(await readFile(paths.certificateChain, "utf8")).toBe(issued.chainPem);
      expect((await stat(paths.key)).mode & 0o777).toBe(0o600);
      expect((await stat(target)).mode & 0o777).toBe(0o700);
      expect((await readdir(target)).sort()).toEqual(["cert-chain.pem", "key.pem"]);
    }
  });
});

describe("files that cannot be used are refused by name", () => {
  const replace = async (name: string, content: string) => {
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), 0o600);
  };
  const secret = "c2VjcmV0";

  test.each<[string, () => Promise<unknown>, string | RegExp]>([
    [
      "no key",
      () => rm(join(folder, "ca-key.pem")),
      "ca-key.pem is missing: an authority of one's own is root-cert.pem,",
    ],
    ["a broken key", () => replace("ca-key.pem", secret), "ca-key.pem holds no private key in PEM format"],
    ["a key for everyone", () => chmod(join(folder, "ca-key.pem"), 0o644), /mode 0644\); run: chmod 600 .*ca-key\.pem/],
    ["a broken certificate", () => replace("ca-cert.pem", "x"), "ca-cert.pem holds no certificate in PEM format"],
    ["the end of its life", async () => clock.advance(3651 * day * 1000), /ca-cert\.pem can't sign: .* expired on/],
    ["a time before it", async () => clock.advance(-day * 1000), /ca-cert\.pem can't sign: .* begins only on/],
  ])("%s", async (_, damage, message) => {
    await open();
    await damage();
    const error = await open().catch((problem: unknown) => problem);
    expect(error).toMatchObject({ code: "CERTIFICATE_AUTHORITY", message: expect.stringMatching(message) });
    expect(String(error)).not.toContain(secret);
  });

  test("the key of another", async () => {
    await open();
    await openCertificateAuthority(`${folder}2`, { clock, trustDomain: "cluster.local" });
    await copyFile(join(`${folder}2`, "ca-key.pem"), join(folder, "ca-key.pem"));
    await expect(open()).rejects.toThrow("ca-key.pem is not the key of ca-cert.pem");
  });

  test("the root of another", async () => {
    await open();
    await openCertificateAuthority(`${folder}2`, { clock, trustDomain: "cluster.local" });
    await copyFile(join(`${folder}2`, "root-cert.pem"), join(folder, "root-cert.pem"));
    await expect(open()).rejects.toThrow("root-cert.pem does not hold the root that ca-cert.pem and cert-chain.pem");
  });

  test("a certificate that may not sign", async () => {
    const authority = await open();
    const leaf = await authority.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: day });
    await replace("ca-cert.pem", leaf.chainPem);
    await replace("ca-key.pem", leaf.keyPem);
    await expect(open()).rejects.toThrow("is not one of an authority");
  });

  test("a folder that can't be made", async () => {
    await writeFile(folder, "");
    await expect(open()).rejects.toThrow(`the certificate authority can't be made in ${folder} (`);
  });
});

test("one root gives way to another: while both are trusted, either side may have the old one", async () => {
  const before = await open();
  const next = await openCertificateAuthority(`${folder}2`, { clock, trustDomain: "cluster.local" });
  const certificateOf = (authority: typeof before) =>
    authority.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: day });
  const old = await certificateOf(before);
  for (const name of [folder, `${folder}2`])
    await writeFile(join(name, "root-cert.pem"), before.rootPem + next.rootPem);
  const both = await open();
  expect(both.rootPem).toBe(before.rootPem + next.rootPem);
  for (const name of ["ca-cert.pem", "ca-key.pem", "cert-chain.pem"])
    await copyFile(join(`${folder}2`, name), join(folder, name));
  const after = await open();
  const renewed = await certificateOf(after);
  expect(new X509Certificate(renewed.chainPem).verify(new X509Certificate(next.rootPem).publicKey)).toBe(true);
  await shakeHands(tlsOf(after, renewed), tlsOf(both, old));
  await shakeHands(tlsOf(both, old), tlsOf(after, renewed));
});

describe.skipIf(!hasOpenssl)("an authority of one's own", () => {
  /** A root and an intermediate authority below it, as openssl makes them. */
  async function plugIn(key: string[]): Promise<void> {
    await mkdir(folder, { mode: 0o700 });
    const at = (name: string) => join(folder, name);
    const ca = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    const making = ["req", "-x509", "-nodes", "-days", "30", ...ca];
    openssl(...making, ...key, "-keyout", at("root-key"), "-out", at("root-cert.pem"), "-subj", "/O=Ümläut/CN=root");
    const signed = ["-CA", at("root-cert.pem"), "-CAkey", at("root-key")];
    openssl(
      ...making,
      ...key,
      ...signed,
      "-keyout",
      at("ca-key.pem"),
      "-out",
      at("ca-cert.pem"),
      "-subj",
      "/O=Acme/CN=mesh",
    );
    const [certificate, root] = [
      await readFile(at("ca-cert.pem"), "utf8"),
      await readFile(at("root-cert.pem"), "utf8"),
    ];
    await writeFile(at("cert-chain.pem"), `text before\n${certificate}${root}`);
    await chmod(at("ca-key.pem"), 0o600);
    clock.time = Date.now(); // openssl's certificates begin when they are made
  }

  test.each([
    ["P-256", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
    ["P-384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
    ["RSA", ["-newkey", "rsa:2048"]],
  ])("with an intermediate certificate, %s", async (_, key) => {
    await plugIn(key);
    const authority = await open();
    const [one, other] = await Promise.all(
      ["one", "other"].map((name) => authority.issue({ spiffeUri: spiffeIdOf(name), ttlSec: day })),
    );
    if (!one || !other) throw new Error("not issued");
    expect(one.chainPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(await shakeHands(tlsOf(authority, one), tlsOf(authority, other))).toMatchObject({
      client: `URI:${spiffeIdOf("other")}`,
    });
    const { certificateChain } = await writeCertificate(join(folder, "w"), one);
    const chain = ["-CAfile", join(folder, "root-cert.pem"), "-untrusted", certificateChain, certificateChain];
    expect(openssl("verify", "-x509_strict", ...chain)).toContain(": OK");
  });

  test("with a kind of key that proxies could not check", async () => {
    await plugIn(["-newkey", "ed25519"]);
    await expect(open()).rejects.toThrow("must be ECDSA (P-256 or P-384) or RSA");
  });
});
