import { join } from "node:path";
import { authorityFiles } from "../ca/authority-files.ts";
import { openCertificateAuthority } from "../ca/certificate-authority.ts";
import { certificatePaths, writeCertificate } from "../ca/write-certificate.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { spiffeUri } from "../lib/spiffe.ts";
import { type BootstrapCertificate, type ProxyIdentity, trustDomain } from "./bootstrap.ts";

/** A mesh that runs longer without a restart would have to begin anew: proxies read these files at their start. */
const bootstrapTtlSec = 365 * 24 * 3600;

const authorityFolder = (data: string): string => join(data, "ca");
const workloadFolder = (data: string, workload: string): string => join(data, "run", workload);

/** Gives each proxy the certificate by which the control plane knows it. Throws an Error that names the file that is in the way. */
export async function certifyProxies(data: string, proxies: readonly ProxyIdentity[]): Promise<void> {
  const authority = await openCertificateAuthority(authorityFolder(data), { clock, trustDomain });
  for (const { workload, namespace, serviceAccount } of proxies) {
    const request = { spiffeUri: spiffeUri({ trustDomain, namespace, serviceAccount }), ttlSec: bootstrapTtlSec };
    await writeCertificate(workloadFolder(data, workload), await authority.issue(request));
  }
}

export function bootstrapCertificate(data: string, workload: string): BootstrapCertificate {
  const { key, certificateChain: chain } = certificatePaths(workloadFolder(data, workload));
  return { chain, key, root: join(authorityFolder(data), authorityFiles.root) };
}
