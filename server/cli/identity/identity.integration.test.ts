import { execFile } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { Command } from "commander";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openCertificateAuthority } from "../../ca/certificate-authority.ts";
import { createSigningRequest } from "../../ca/signing-request.ts";
import { tempFolder } from "../../ca/testing/tls.ts";
import { kinds } from "../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import { createConfigApi } from "../../control-plane/api/config-api.ts";
import { type ControlPlane, createControlPlane } from "../../control-plane/control-plane.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { jsonFile } from "../../lib/json-file.ts";
import { silentLogger as logger } from "../../lib/logger.ts";
import { pinnedRoot, requestCertificate } from "../../sdk/request-certificate.ts";
import { registerCertificates } from "./certificates.ts";
import { registerToken } from "./token.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

let folder: string;
let plane: ControlPlane;
let store: MemoryConfigStore;
let server: string;

async function startPlane(trustDomain = "cluster.local"): Promise<void> {
  const authority = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain });
  plane = createControlPlane({
    store,
    meshOptions: { trustDomain },
    xdsPort: 0,
    xdsTls: { port: 0 },
    join: { port: 0 },
    identityFiles: { tokens: jsonFile(join(folder, "tokens.json")), register: jsonFile(join(folder, "register.json")) },
    authority,
    clock,
    logger,
  });
  await plane.start();
  const api = createConfigApi({
    store,
    kinds,
    clock,
    logger,
    services: plane.services,
    mesh: plane.mesh,
    pushes: plane.pushes,
    identities: plane.identities,
  });
  server = `http://127.0.0.1:${(await api.listen("127.0.0.1", 0)).port}`;
  closers.push(async () => {
    await api.close();
    await plane.stop();
  });
}

beforeEach(async () => {
  const [temp, clean] = await tempFolder();
  closers.push(clean);
  folder = temp;
  store = new MemoryConfigStore({ clock });
  await startPlane();
});

async function limpid(...args: string[]): Promise<{ out: string; err: string }> {
  const said = { out: "", err: "" };
  const io = {
    out(text: string) {
      said.out += text;
    },
    err(text: string) {
      said.err += text;
    },
    stdin: async () => "",
    fail: () => undefined,
    env: {},
  };
  const program = new Command().exitOverride();
  registerToken(program, io);
  registerCertificates(program, io);
  await program.parseAsync([...args, "--server", server], { from: "user" });
  return said;
}

const newToken = async () => {
  const { out } = await limpid("token", "create", "-n", "default", "--service-account", "cart");
  return out.trim();
};
const at = (port: number | undefined) => ({ host: "127.0.0.1", port: port ?? 0 });
const cart = "spiffe://cluster.local/ns/default/sa/cart";

/** As a server's certificate has them. */
const serverNames = (port: number | undefined, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ ...at(port), ca, checkServerIdentity: () => undefined }, () => {
      resolve(socket.getPeerCertificate().subjectaltname ?? "");
      socket.destroy();
    });
    socket.on("error", reject);
  });

async function joined() {
  const token = await newToken();
  const root = await pinnedRoot(at(plane.addresses().join), token.split(".")[2] ?? "");
  return { token, root, obtained: await requestCertificate(at(plane.addresses().join), root, { token }) };
}

test("a token is good for one certificate, whose key was made here; the certificate is good for the next", async () => {
  const { token, root, obtained } = await joined();
  expect(obtained.identity).toBe(cart);
  const leaf = new X509Certificate(obtained.chainPem);
  expect(leaf.verify(new X509Certificate(root).publicKey)).toBe(true);
  await expect(requestCertificate(at(plane.addresses().join), root, { token })).rejects.toThrow(/used before/);
  const renewed = await requestCertificate(at(plane.addresses().xdsTls), root, { certificate: obtained });
  expect(renewed.identity).toBe(cart);
  expect(new X509Certificate(renewed.chainPem).publicKey.equals(leaf.publicKey)).toBe(false);
  const listed = await limpid("certificates");
  expect(listed.out).toContain(leaf.serialNumber.toLowerCase());
  expect(listed.out.match(new RegExp(`${cart} .* (token|certificate)`, "g"))).toHaveLength(2);
});

test("a mesh that is called otherwise from its next start on changes over by an alias, and nobody who was revoked comes back", async () => {
  const { root, obtained } = await joined();
  await limpid("certificates", "revoke", cart.replace("cart", "thief"));
  const object = {
    apiVersion: "limpid.dev/v1alpha1",
    kind: "MeshConfig",
    metadata: { name: "default", namespace: "" },
    spec: { trustDomainAliases: ["cluster.local"] },
  };
  await store.commit([{ op: "put", object }], "test");
  await closers.pop()?.();
  await startPlane("mesh.example");

  const renewed = await requestCertificate(at(plane.addresses().xdsTls), root, { certificate: obtained });
  expect(renewed.identity).toBe("spiffe://mesh.example/ns/default/sa/cart");
  // Whoever was started under the former name knows the control plane by that.
  const shown = await serverNames(plane.addresses().xdsTls, root);
  for (const name of ["mesh.example", "cluster.local"]) {
    expect(shown).toContain(`URI:spiffe://${name}/ns/limpid-system/sa/control-plane`);
  }
  const revoked = "spiffe://mesh.example/ns/default/sa/thief";
  expect((await limpid("certificates")).out).toContain(`${revoked} revoked at`);
  const former = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain: "cluster.local" });
  const certificate = await former.issue({ spiffeUri: cart.replace("cart", "thief"), ttlSec: 3600 });
  await expect(requestCertificate(at(plane.addresses().xdsTls), root, { certificate })).rejects.toThrow(/was revoked/);
  await limpid("certificates", "restore", revoked);
  expect((await limpid("certificates", "restore", cart)).err).toContain("was not revoked");
});

test("a certificate of an alias is renewed into one of the mesh's own trust domain", async () => {
  const { root } = await joined();
  const former = await openCertificateAuthority(join(folder, "ca"), { clock, trustDomain: "old.example" });
  const certificate = await former.issue({ spiffeUri: "spiffe://old.example/ns/default/sa/cart", ttlSec: 3600 });
  const renewed = () => requestCertificate(at(plane.addresses().xdsTls), root, { certificate });
  await expect(renewed()).rejects.toThrow(/old\.example.* is not of the trust domain cluster\.local/);
  const object = {
    apiVersion: "limpid.dev/v1alpha1",
    kind: "MeshConfig",
    metadata: { name: "default", namespace: "" },
    spec: { trustDomainAliases: ["old.example"] },
  };
  const { revision } = await store.commit([{ op: "put", object }], "test");
  await vi.waitFor(() => expect(plane.mesh().revision).toBe(revision));
  expect((await renewed()).identity).toBe(cart);
  await limpid("certificates", "revoke", cart);
  await expect(renewed()).rejects.toThrow(/was revoked/);
});

test("what is no token, was taken back, is of another root, or asks in another way is refused", async () => {
  const token = await newToken();
  const { join: port } = plane.addresses();
  const root = await pinnedRoot(at(port), token.split(".")[2] ?? "");
  await expect(pinnedRoot(at(port), "x".repeat(43))).rejects.toThrow(/another root/);
  for (const wrong of ["", "x", token.replace(/.\./, "A.").replace("limpid", "lympid")]) {
    await expect(requestCertificate(at(port), root, { token: wrong })).rejects.toThrow(/signed no certificate: /);
  }
  const id = token.slice("limpid-join-".length, token.indexOf("."));
  expect((await limpid("token", "list")).out).toContain(id);
  await limpid("token", "revoke", id);
  await expect(requestCertificate(at(port), root, { token })).rejects.toThrow(/none, was used before, or has ended/);
  expect((await limpid("token", "create", "-n", "limpid-system", "--service-account", "control-plane")).err).toContain(
    "nobody joins in limpid-system",
  );
  expect((await limpid("token", "create", "-n", "nowhere", "--service-account", "a")).err).toContain("nowhere");
});

test("tokens and revocations outlive a restart, and no token stands in the file", async () => {
  const token = await newToken();
  await limpid("certificates", "revoke", cart, "--reason", "stolen");
  await closers.pop()?.();
  await startPlane();
  expect(await readFile(join(folder, "tokens.json"), "utf8")).not.toContain(token.split(".")[1]);
  expect((await stat(join(folder, "tokens.json"))).mode & 0o777).toBe(0o600);
  const root = await pinnedRoot(at(plane.addresses().join), token.split(".")[2] ?? "");
  await expect(requestCertificate(at(plane.addresses().join), root, { token })).rejects.toThrow(/was revoked/);
});

test("who is revoked gets nothing more, and a policy of the mesh refuses what it has; until it is restored", async () => {
  const { root, obtained } = await joined();
  await limpid("certificates", "revoke", cart);
  const key = { kind: "AuthorizationPolicy", namespace: "istio-system", name: "limpid-revoked-identities" };
  expect((await store.get(key))?.spec).toEqual({
    action: "DENY",
    rules: [{ from: [{ source: { principals: ["cluster.local/ns/default/sa/cart"] } }] }],
  });
  const again = () => requestCertificate(at(plane.addresses().xdsTls), root, { certificate: obtained });
  await expect(again()).rejects.toThrow(/was revoked/);
  await limpid("certificates", "restore", cart);
  expect(await store.get(key)).toBeUndefined();
  expect((await again()).identity).toBe(cart);
  const own = "spiffe://cluster.local/ns/limpid-system/sa/control-plane";
  expect((await limpid("certificates", "revoke", own)).err).toContain("control plane's own");
});

test("a request that is none, of a weak key, or signed by another key is refused, and costs no token", async () => {
  const { readSigningRequest } = await import("../../ca/signing-request.ts");
  const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [a, b] = [pair(), pair()];
  await expect(readSigningRequest("x")).rejects.toThrow(/no certificate request/);
  await expect(readSigningRequest("x".repeat(20_000))).rejects.toThrow(/more than/);
  const crossed = await createSigningRequest({ privateKey: a.privateKey, publicKey: b.publicKey });
  await expect(readSigningRequest(crossed)).rejects.toThrow(/not by the key/);
  const good = await readSigningRequest(await createSigningRequest(a));
  expect(good.equals(a.publicKey)).toBe(true);
  await mkdir(join(folder, "openssl"), { recursive: true });
  const openssl = async (...newKey: string[]) => {
    const out = ["-keyout", join(folder, "openssl/key.pem"), "-out", join(folder, "openssl/csr.pem")];
    await promisify(execFile)("openssl", ["req", "-new", "-nodes", "-subj", "/O=x", ...newKey, ...out]);
    return await readFile(join(folder, "openssl/csr.pem"), "utf8");
  };
  await expect(readSigningRequest(await openssl("-newkey", "rsa:1024"))).rejects.toThrow(/2048 bits/);
  expect((await readSigningRequest(await openssl("-newkey", "rsa:2048"))).asymmetricKeyType).toBe("rsa");
  await vi.waitFor(() => expect(plane.ready()).toBe(true));
});
