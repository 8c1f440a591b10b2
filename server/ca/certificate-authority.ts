import type { KeyObject } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { type AuthorityMaterial, readAuthority } from "./authority-files.ts";
import { createAuthorityFolder, holdsAuthority } from "./create-authority.ts";
import { CertificateAuthorityError } from "./errors.ts";
import { generateKeys, toPem } from "./keys.ts";
import { clockSkewMs, createSigner, type HostNames, type Purpose, signWorkload, toSecond } from "./sign.ts";

export interface SignedCertificate {
  spiffeUri: string;
  /** The leaf, then what leads to the root, without the root. */
  chainPem: string;
  /** Hexadecimal. */
  serial: string;
  /** Unix milliseconds. */
  notBeforeMs: number;
  notAfterMs: number;
}

/** A certificate and its key. The key is in memory only, until someone writes it. */
export interface IssuedCertificate extends SignedCertificate {
  /** PKCS #8. */
  keyPem: string;
}

export interface IssueRequest {
  /** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` */
  spiffeUri: string;
  ttlSec: number;
  /** Names and addresses by which a server is called besides. */
  hosts?: HostNames | undefined;
}

export interface CertificateAuthority {
  /** Of every id that it certifies. */
  readonly trustDomain: string;
  /** What to trust, in PEM: one root, or several while one gives way to another. */
  readonly rootPem: string;
  /** When the signing certificate or one that it leads to ends; nothing is issued for longer. Unix milliseconds. */
  readonly notAfterMs: number;
  /** With a fresh P-256 key. Rejects with `CertificateAuthorityError` for an id of another trust domain, and when the authority has expired. */
  issue(request: IssueRequest): Promise<IssuedCertificate>;
  /** For a key that stays where it was made. Rejects as `issue` does. */
  sign(request: IssueRequest & { publicKey: KeyObject }): Promise<SignedCertificate>;
  /** Of one that changes while it is used: calls back when there are other roots, or another one signs. */
  onChange?(listener: () => void): void;
}

export interface AuthorityOptions {
  clock: Clock;
  trustDomain: string;
  /** Default `workload`. */
  purpose?: Purpose;
  /** The root's name, when one is made. Default: the trust domain. */
  organization?: string;
}

/**
 * The authority in a folder, made when there is none; several processes may open it at once and get the same one.
 * Rejects with `CertificateAuthorityError` for files that cannot be used.
 */
export async function openCertificateAuthority(
  folder: string,
  options: AuthorityOptions,
): Promise<CertificateAuthority> {
  const { clock, trustDomain, purpose = "workload", organization = trustDomain } = options;
  if (!(await holdsAuthority(folder))) await createAuthorityFolder(folder, organization, clock.now());
  const material = await readAuthority(folder, clock.now());
  const signer = await createSigner(material.certificate.toString(), material.key, purpose);
  const sign = async ({ spiffeUri, ttlSec, publicKey, hosts }: IssueRequest & { publicKey: KeyObject }) => {
    if (!spiffeUri.startsWith(`spiffe://${trustDomain}/`)) {
      throw new CertificateAuthorityError(`${spiffeUri} is not of the trust domain ${trustDomain}`);
    }
    const validity = validityOf(material, ttlSec, clock.now());
    const leaf = await signWorkload(signer, spiffeUri, publicKey, validity, hosts);
    const chainPem = leaf.pem + material.intermediates.map(String).join("");
    return { spiffeUri, chainPem, serial: leaf.serial, ...validity };
  };
  return {
    trustDomain,
    rootPem: material.rootPem,
    notAfterMs: material.notAfterMs,
    sign,
    async issue(request) {
      const keys = await generateKeys();
      return { ...(await sign({ ...request, publicKey: keys.publicKey })), keyPem: toPem(keys.privateKey) };
    },
  };
}

function validityOf({ certificate, notAfterMs }: AuthorityMaterial, ttlSec: number, now: number) {
  const validity = {
    notBeforeMs: toSecond(Math.max(now - clockSkewMs, certificate.validFromDate.getTime())),
    notAfterMs: toSecond(Math.min(now + ttlSec * 1000, notAfterMs)),
  };
  if (validity.notAfterMs > now) return validity;
  throw new CertificateAuthorityError(
    `the signing certificate expired on ${new Date(notAfterMs).toISOString()}, so none can be issued`,
  );
}
