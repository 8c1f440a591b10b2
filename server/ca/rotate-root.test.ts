import { execFileSync } from "node:child_process";
import { copyFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { type CertificateAuthority, openCertificateAuthority } from "./certificate-authority.ts";
import { overlapMs, rotateRoot, rotationOf } from "./rotate-root.ts";
import { shakeHands, spiffeIdOf, tempFolder, tlsOf } from "./testing/tls.ts";

let folder: string;
let clean: () => Promise<void>;
const clock = new FakeClock();

beforeEach(async () => {
  const [temp, remove] = await tempFolder();
  folder = join(temp, "ca");
  clean = remove;
  clock.time = Date.now();
});
afterEach(() => clean());

const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "pipe" });
const open = (at = folder) => openCertificateAuthority(at, { clock, trustDomain: "cluster.local" });
const rotate = (force = false) => rotateRoot(folder, { now: clock.now(), force });
const tlsNow = async (authority: CertificateAuthority) =>
  tlsOf(authority, await authority.issue({ spiffeUri: spiffeIdOf("reviews"), ttlSec: 86_400 }));

test("three steps; between one and the next either side may still be at the one before", async () => {
  const steps = [await tlsNow(await open())];
  const roots = [(await rotationOf(folder, clock.now())).roots.length];
  for (const force of [false, false, true]) {
    roots.push((await rotate(force)).roots.length);
    steps.push(await tlsNow(await open()));
  }
  expect(roots).toEqual([1, 2, 2, 1]);
  for (const [before, after] of steps.slice(1).map((after, at) => [steps[at] ?? after, after] as const)) {
    await shakeHands(before, after);
    await shakeHands(after, before);
  }
  const [first = {}, , , last = {}] = steps;
  await expect(shakeHands(last, first)).rejects.toThrow();
  expect((await readdir(folder)).sort()).toEqual(["ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"]);
  if (process.platform !== "win32") expect((await stat(join(folder, "ca-key.pem"))).mode & 0o777).toBe(0o600);
});

test("what signs is named first, by which who joins knows the mesh", async () => {
  const before = (await open()).rootPem;
  await rotate();
  expect((await open()).rootPem.startsWith(before)).toBe(true);
  const { roots, stage } = await rotate();
  expect([stage, String(roots[1])]).toEqual(["switched", before]);
  expect((await open()).rootPem).toBe(roots.map(String).join(""));
});

test("the old root is not forgotten while a certificate by it may be good", async () => {
  await open();
  await rotate();
  await rotate();
  await expect(rotate()).rejects.toThrow(/certificates by the old root are good until .*Z; --force/);
  clock.time += overlapMs + 1000;
  expect((await rotate()).stage).toBe("none");
});

test("a step that was cut short is done by the next call", async () => {
  await open();
  await rotate();
  // The key took its place; then the power went.
  await copyFile(join(folder, "next/ca-key.pem"), join(folder, "ca-key.pem"));
  await expect(open()).rejects.toThrow("ca-key.pem is not the key of ca-cert.pem");
  expect((await rotate()).stage).toBe("switched");
  await tlsNow(await open());
});

test("the next root was made, but not yet named", async () => {
  const { rootPem } = await open();
  await rotate();
  await writeFile(join(folder, "root-cert.pem"), rootPem);
  expect(await rotate()).toMatchObject({ stage: "announced", roots: { length: 2 } });
});

test.skipIf(process.platform === "win32")("an authority whose root is elsewhere is rotated there", async () => {
  await open();
  await copyFile(join(folder, "root-cert.pem"), join(folder, "root.pem"));
  openssl(
    "req",
    "-new",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-subj",
    "/O=below",
    "-keyout",
    "below.key",
    "-out",
    "below.csr",
  );
  await writeFile(join(folder, "below.ext"), "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign\n");
  openssl(
    "x509",
    "-req",
    "-in",
    "below.csr",
    "-CA",
    "root.pem",
    "-CAkey",
    "ca-key.pem",
    "-CAcreateserial",
    "-days",
    "2",
    "-extfile",
    "below.ext",
    "-out",
    "below.pem",
  );
  for (const name of ["ca-cert.pem", "cert-chain.pem"]) await copyFile(join(folder, "below.pem"), join(folder, name));
  await copyFile(join(folder, "below.key"), join(folder, "ca-key.pem"));
  clock.time = Date.now() + 1000;
  await expect(rotate()).rejects.toThrow("ca-cert.pem was signed elsewhere");
});
