import type { Clock } from "../lib/clock.ts";
import { type AuthorityMaterial, readAuthority } from "./authority-files.ts";
import { createAuthorityFolder, holdsAuthority } from "./create-authority.ts";
import { CertificateAuthorityError } from "./errors.ts";
import { generateKeys, toPem } from "./keys.ts";
import { clockSkewMs, createSigner, type Purpose, type Signer, signWorkload, toSecond } from "./sign.ts";

/** A certificate and its key. The key is in memory only, until someone writes it. */
export interface IssuedCertificate {
  spiffeUri: string;
  /** PKCS #8. */
  keyPem: string;
  /** The leaf, then what leads to the root, without the root. */
  chainPem: string;
  /** Hexadecimal. */
  serial: string;
  /** Unix milliseconds. */
  notBeforeMs: number;
  notAfterMs: number;
}

export interface IssueRequest {
  /** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>` */
  spiffeUri: string;
  ttlSec: number;
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
  return {
    trustDomain,
    rootPem: material.rootPem,
    notAfterMs: material.notAfterMs,
    async issue(request) {
      if (!request.spiffeUri.startsWith(`spiffe://${trustDomain}/`)) {
        throw new CertificateAuthorityError(`${request.spiffeUri} is not of the trust domain ${trustDomain}`);
      }
      return await issue(request, material, signer, clock.now());
    },
  };
}

async function issue(
  { spiffeUri, ttlSec }: IssueRequest,
  { certificate, intermediates, notAfterMs }: AuthorityMaterial,
  signer: Signer,
  now: number,
): Promise<IssuedCertificate> {
  const validity = {
    notBeforeMs: toSecond(Math.max(now - clockSkewMs, certificate.validFromDate.getTime())),
    notAfterMs: toSecond(Math.min(now + ttlSec * 1000, notAfterMs)),
  };
  if (validity.notAfterMs <= now) {
    throw new CertificateAuthorityError(
      `the signing certificate expired on ${new Date(notAfterMs).toISOString()}, so none can be issued`,
    );
  }
  const keys = await generateKeys();
  const leaf = await signWorkload(signer, spiffeUri, keys.publicKey, validity);
  return {
    spiffeUri,
    keyPem: toPem(keys.privateKey),
    chainPem: leaf.pem + intermediates.map(String).join(""),
    serial: leaf.serial,
    ...validity,
  };
}
