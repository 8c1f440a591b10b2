import type { Clock } from "../lib/clock.ts";
import { readAuthority } from "./authority-files.ts";
import { createAuthorityFolder, holdsAuthority } from "./create-authority.ts";
import { generateKeys, type KeyType, toPem } from "./keys.ts";
import { clockSkewMs, createSigner, type HostNames, signHost, toSecond } from "./sign.ts";

export interface HostCertificate {
  /** PEM: the leaf, then what leads to the root, without the root. */
  chainPem: string;
  /** PKCS #8. */
  keyPem: string;
  serial: string;
  /** Unix milliseconds. */
  notAfterMs: number;
}

/** Signs for names that browsers know; nothing inside the mesh trusts it. */
export interface HostAuthority {
  readonly rootPem: string;
  issue(request: { names: HostNames; ttlSec: number; keys?: KeyType }): Promise<HostCertificate>;
}

/** The authority in a folder, made when there is none. Rejects with `CertificateAuthorityError`. */
export async function openHostAuthority(
  folder: string,
  { clock, organization }: { clock: Clock; organization: string },
): Promise<HostAuthority> {
  if (!(await holdsAuthority(folder))) await createAuthorityFolder(folder, organization, clock.now());
  const { certificate, key, intermediates, notAfterMs, rootPem } = await readAuthority(folder, clock.now());
  const signer = await createSigner(certificate.toString(), key, "workload");
  return {
    rootPem,
    async issue({ names, ttlSec, keys: type }) {
      const now = clock.now();
      const validity = {
        notBeforeMs: toSecond(Math.min(now - clockSkewMs, now + ttlSec * 1000 - clockSkewMs)),
        notAfterMs: toSecond(Math.min(now + ttlSec * 1000, notAfterMs)),
      };
      const keys = await generateKeys(type);
      const { pem, serial } = await signHost(signer, names, keys.publicKey, validity);
      return {
        chainPem: pem + intermediates.map(String).join(""),
        keyPem: toPem(keys.privateKey),
        serial,
        notAfterMs: validity.notAfterMs,
      };
    },
  };
}
