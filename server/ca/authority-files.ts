import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The names of Istio's `cacerts` secret, so that an authority made for it can be put here. https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/ */
export const authorityFiles = {
  root: "root-cert.pem",
  certificate: "ca-cert.pem",
  chain: "cert-chain.pem",
  key: "ca-key.pem",
} as const;

/** What an authority signs with, checked to belong together. */
export interface SigningMaterial {
  readonly rootPem: string;
  /** From the signing certificate up to, without, the root; empty when the root signs itself. */
  readonly intermediatesPem: string;
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/**
 * Puts a new authority's files into the folder, all of them or none: whoever comes second finds the first one's. Signing key 0600, folder 0700.
 */
export function writeAuthority(folder: string, pem: { certificate: string; key: string }): void {
  const draft = `${folder}.${process.pid}-${randomBytes(4).toString("hex")}`;
  mkdirSync(dirname(folder), { recursive: true, mode: 0o700 });
  mkdirSync(draft, { mode: 0o700 });
  try {
    for (const name of [authorityFiles.root, authorityFiles.certificate, authorityFiles.chain]) {
      writeFileSync(join(draft, name), pem.certificate, { mode: 0o644 });
    }
    writeFileSync(join(draft, authorityFiles.key), pem.key, { mode: 0o600 });
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!["ENOTEMPTY", "EEXIST"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** Undefined: nothing is there yet. Throws an Error that names the file and what would be right. */
export function readAuthority(folder: string, now: number): SigningMaterial | undefined {
  const at = (name: keyof typeof authorityFiles) => join(folder, authorityFiles[name]);
  const certificatePem = readPem(at("certificate"), false);
  const keyPem = readPem(at("key"), false);
  if (certificatePem === undefined && keyPem === undefined) return undefined;
  if (certificatePem === undefined) throw new Error(`${at("certificate")}: missing, although ${at("key")} is there`);
  if (keyPem === undefined) throw new Error(`${at("key")}: missing, although ${at("certificate")} is there`);
  refuseOpenKey(at("key"));
  const certificate = parse(certificatePem, at("certificate"));
  const key = parseKey(keyPem, at("key"));
  if (!certificate.checkPrivateKey(key)) throw new Error(`${at("key")}: is not the key of ${at("certificate")}`);
  checkAuthority(certificate, at("certificate"), now);
  const rootPem = readPem(at("root"), true);
  const root = parse(rootPem, at("root"));
  checkAuthority(root, at("root"), now);
  const intermediates = intermediatesOf(certificate, readPem(at("chain"), false) ?? "", at("chain"), root);
  return { rootPem, intermediatesPem: intermediates.map((it) => it.toString()).join(""), certificate, key };
}

/** Of the signing certificate and those above it, in order, without the root. */
function intermediatesOf(
  certificate: X509Certificate,
  chainPem: string,
  chainPath: string,
  root: X509Certificate,
): X509Certificate[] {
  const known = pemBlocks(chainPem).map((pem) => parse(pem, chainPath));
  const chain: X509Certificate[] = [];
  let last = certificate;
  // As many steps as there are certificates: a circle ends.
  for (let step = 0; step <= known.length; step++) {
    if (last.fingerprint256 === root.fingerprint256) return chain;
    chain.push(last);
    if (last.checkIssued(root) && last.verify(root.publicKey)) return chain;
    const above = known.find((it) => it !== last && last.checkIssued(it) && last.verify(it.publicKey));
    if (above === undefined) break;
    last = above;
  }
  throw new Error(`${chainPath}: doesn't lead from ${authorityFiles.certificate} to ${authorityFiles.root}`);
}

function checkAuthority(certificate: X509Certificate, path: string, now: number): void {
  if (!certificate.ca)
    throw new Error(`${path}: is no certificate of an authority (basicConstraints CA:TRUE is missing)`);
  if (certificate.validToDate.getTime() <= now) throw new Error(`${path}: expired on ${certificate.validTo}`);
  if (certificate.validFromDate.getTime() > now)
    throw new Error(`${path}: is not valid before ${certificate.validFrom}`);
}

/** Like ssh: a signing key that others can read is none. */
function refuseOpenKey(path: string): void {
  if (process.platform === "win32") return;
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new Error(`${path}: is readable by others (mode ${mode.toString(8)}); run: chmod 600 ${path}`);
  }
}

function readPem(path: string, required: true): string;
function readPem(path: string, required: boolean): string | undefined;
function readPem(path: string, required: boolean): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && !required) return undefined;
    throw new Error(`${path}: can't be read (${code})`);
  }
}

function parse(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error(`${path}: holds no certificate in PEM form`);
  }
}

function parseKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new Error(`${path}: holds no private key in PEM form`);
  }
}

const pemBlocks = (pem: string): string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
