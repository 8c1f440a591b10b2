import { join } from "node:path";
import type { Clock } from "../lib/clock.ts";
import { authorityFiles, readAuthority, type SigningMaterial, writeAuthority } from "./authority-files.ts";

export interface CertificateAuthority {
  readonly trustDomain: string;
  /** The certificate that all of the mesh trusts, in PEM, and where it lies for those who read files. */
  readonly rootPem: string;
  readonly rootPath: string;
  /** A new key with a certificate for one identity; valid for `ttlSec` from now, at most until the authority's own end. */
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
}

export interface CertificateRequest {
  /** `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. */
  spiffeUri: string;
  ttlSec: number;
}

export interface IssuedCertificate {
  /** PKCS #8 in PEM. Never logged. */
  readonly keyPem: string;
  /** In PEM: the certificate first, then what leads to the root, without it. */
  readonly chainPem: string;
  /** In hexadecimal. */
  readonly serial: string;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** As the control plane shows itself to proxies. */
export const controlPlaneIdentity = (trustDomain: string): string =>
  `spiffe://${trustDomain}/ns/limpid-system/sa/control-plane`;

/**
 * Opens the authority in a folder; the first to come makes one there, which signs for ten years. Throws an Error that names the file when
 * what lies there can't sign. The library for it is loaded here, so that only who needs it waits.
 */
export async function openCertificateAuthority(
  folder: string,
  { clock, trustDomain }: { clock: Clock; trustDomain: string },
): Promise<CertificateAuthority> {
  const { createRoot, signer } = await import("./x509.ts");
  let material: SigningMaterial | undefined = readAuthority(folder, clock.now());
  if (material === undefined) {
    writeAuthority(folder, await createRoot(trustDomain, clock.now()));
    material = readAuthority(folder, clock.now());
  }
  if (material === undefined) throw new Error(`${folder}: the new certificate authority has vanished`);
  const sign = await signer(material);
  return {
    trustDomain,
    rootPem: material.rootPem,
    rootPath: join(folder, authorityFiles.root),
    issue: ({ spiffeUri, ttlSec }) => sign(spiffeUri, clock.now(), ttlSec * 1000),
  };
}
