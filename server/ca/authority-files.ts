import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { type Stats, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { certificateBlocks } from "../lib/pem.ts";
import { CertificateAuthorityError } from "./errors.ts";

/** The names in Istio's `cacerts` secret. https://istio.io/latest/docs/tasks/security/cert-management/plugin-ca-cert/ */
export const authorityFiles = {
  root: "root-cert.pem",
  certificate: "ca-cert.pem",
  chain: "cert-chain.pem",
  key: "ca-key.pem",
} as const;

/** Of the authority that signs what proxies show the control plane; `data` is the mesh's folder. */
export const bootstrapAuthorityFolder = (data: string): string => join(data, "bootstrap-ca");

/** What those certificates must lead to. */
export const bootstrapRootPath = (data: string): string => join(bootstrapAuthorityFolder(data), authorityFiles.root);

/** What an authority signs with, checked: the key fits the certificate, and the certificate leads to the root. */
export interface AuthorityMaterial {
  /** All of root-cert.pem, what it signs by first: while one root gives way to another it holds both. */
  rootPem: string;
  certificate: X509Certificate;
  key: KeyObject;
  /** From the signing certificate to below the root, which whoever checks it has: what goes behind a leaf. Empty when the root signs. */
  intermediates: X509Certificate[];
  /** When the first certificate of the chain ends, root included; Unix milliseconds. */
  notAfterMs: number;
}

/** Throws `CertificateAuthorityError` naming the file and what is wrong with it. `now` is Unix milliseconds. */
export async function readAuthority(folder: string, now: number): Promise<AuthorityMaterial> {
  const rootPem = await read(folder, authorityFiles.root);
  const roots = certificatesOf(rootPem, join(folder, authorityFiles.root));
  const [certificate] = certificatesOf(
    await read(folder, authorityFiles.certificate),
    join(folder, authorityFiles.certificate),
  );
  const chain = certificatesOf(await read(folder, authorityFiles.chain), join(folder, authorityFiles.chain));
  const key = await readKey(join(folder, authorityFiles.key), folder);
  if (!certificate?.checkPrivateKey(key)) {
    throw problem(folder, authorityFiles.key, `is not the key of ${authorityFiles.certificate}`);
  }
  const path = pathToRoot(certificate, chain, roots, folder);
  for (const link of path) checkAuthority(link, folder, now);
  const others = roots.filter((root) => !path.some((link) => link.raw.equals(root.raw)));
  const anchor = path.at(-1) as X509Certificate;
  return {
    rootPem: roots[0]?.raw.equals(anchor.raw) ? rootPem : [anchor, ...others].map(String).join(""),
    certificate,
    key,
    intermediates: path.slice(0, -1),
    notAfterMs: Math.min(...path.map(({ validToDate }) => validToDate.getTime())),
  };
}

/** From the signing certificate to one of the roots, both included. */
function pathToRoot(
  certificate: X509Certificate,
  chain: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  folder: string,
): X509Certificate[] {
  const path = [certificate];
  for (let last = certificate; path.length <= chain.length + 2; ) {
    if (roots.some((root) => root.raw.equals(last.raw))) return path;
    const issued = (by: X509Certificate) => !path.includes(by) && last.checkIssued(by) && last.verify(by.publicKey);
    const issuer = roots.find(issued) ?? chain.find(issued);
    if (!issuer) break;
    path.push(issuer);
    last = issuer;
  }
  const files = `${authorityFiles.certificate} and ${authorityFiles.chain}`;
  throw problem(folder, authorityFiles.root, `does not hold the root that ${files} lead to`);
}

function checkAuthority(certificate: X509Certificate, folder: string, now: number): void {
  const refuse = (why: string) =>
    problem(folder, authorityFiles.certificate, `can't sign: the certificate of ${describe(certificate)} ${why}`);
  const from = certificate.validFromDate.getTime();
  const to = certificate.validToDate.getTime();
  if (!certificate.ca) throw refuse("is not one of an authority (basicConstraints CA, keyUsage keyCertSign)");
  if (to <= now) throw refuse(`expired on ${iso(to)}`);
  if (from > now) throw refuse(`begins only on ${iso(from)}`);
}

const describe = ({ subject }: X509Certificate): string => JSON.stringify((subject ?? "").replaceAll("\n", ", "));
const iso = (ms: number): string => new Date(ms).toISOString();

async function readKey(path: string, folder: string): Promise<KeyObject> {
  const pem = await read(folder, authorityFiles.key);
  checkOwnOnly(path, statSync(path));
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's reason helps nobody, and what stands in the file must not get into a log.
    throw problem(folder, authorityFiles.key, "holds no private key in PEM format without a passphrase");
  }
}

/** As ssh does: what its owner may read, nobody else may. */
function checkOwnOnly(path: string, { mode, uid }: Stats): void {
  if (process.platform === "win32" || uid !== process.getuid?.() || (mode & 0o077) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  throw new CertificateAuthorityError(`${path} can be read by others (mode ${octal}); run: chmod 600 ${path}`);
}

async function read(folder: string, name: string): Promise<string> {
  try {
    return await readFile(join(folder, name), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const all = Object.values(authorityFiles).join(", ");
    throw problem(
      folder,
      name,
      code === "ENOENT" ? `is missing: an authority of one's own is ${all}` : `can't be read (${code})`,
    );
  }
}

/** Every certificate of a PEM file, which may have text between them; throws when there is none. */
export function certificatesOf(pem: string, path: string): X509Certificate[] {
  const blocks = certificateBlocks(pem);
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch {
    // Said below.
  }
  throw new CertificateAuthorityError(`${path} holds no certificate in PEM format, or a damaged one`);
}

const problem = (folder: string, name: string, message: string): CertificateAuthorityError =>
  new CertificateAuthorityError(`${join(folder, name)} ${message}`);
