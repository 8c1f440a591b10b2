import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { authorityFiles, bootstrapRootPath } from "../ca/authority-files.ts";
import { certificatePaths, writeCertificate } from "../ca/write-certificate.ts";
import { systemClock as clock } from "../lib/clock.ts";
import { spiffeUri } from "../lib/spiffe.ts";
import { trustDomainOf } from "../lib/trust-domain.ts";
import type { BootstrapCertificate, ProxyIdentity } from "./bootstrap.ts";

/** A mesh that runs longer without a restart would have to begin anew: proxies read these files at their start. */
const bootstrapTtlSec = 365 * 24 * 3600;

const authorityFolder = (data: string): string => join(data, "ca");
const workloadFolder = (data: string, workload: string): string => join(data, "run", workload);

/** What a proxy shows the control plane, and the mesh's root by which it trusts it in turn. */
export function bootstrapCertificate(
  data: string,
  workload: string,
  trustDomain = trustDomainOf(process.env),
): BootstrapCertificate {
  const { key, certificateChain: chain } = certificatePaths(workloadFolder(data, workload));
  return { chain, key, root: join(authorityFolder(data), authorityFiles.root), trustDomain };
}

/**
 * Gives each proxy that has none the certificate by which the control plane knows it. What signs takes a quarter of a second to load, so
 * it is loaded when there is something to sign. Throws an Error that names the file that is in the way.
 */
export async function certifyProxies(
  data: string,
  proxies: readonly ProxyIdentity[],
  trustDomain = trustDomainOf(process.env),
): Promise<void> {
  const uriOf = ({ namespace, serviceAccount }: ProxyIdentity) => spiffeUri({ trustDomain, namespace, serviceAccount });
  const missing = proxies.filter((proxy) => !isCertified(data, proxy.workload, uriOf(proxy)));
  const hasRoot = existsSync(join(authorityFolder(data), authorityFiles.root));
  if (missing.length === 0 && hasRoot) return;
  // The mesh's own as well: proxies are told where its root is, and may look before the control plane has made one.
  const { openCertificateAuthority } = await import("../ca/certificate-authority.ts");
  await openCertificateAuthority(authorityFolder(data), { clock, trustDomain });
  const { openBootstrapAuthority } = await import("../ca/bootstrap-authority.ts");
  const authority = await openBootstrapAuthority(data, { clock, trustDomain });
  for (const proxy of missing) {
    const issued = await authority.issue({ spiffeUri: uriOf(proxy), ttlSec: bootstrapTtlSec });
    await writeCertificate(workloadFolder(data, proxy.workload), issued);
  }
}

/**
 * Whether a start before this one left a certificate that is for it, of the bootstrap root as it is now, and good for half a year more. Those of
 * versions before 0.2 were signed by the mesh's own authority, and workloads trusted them: they are replaced.
 */
function isCertified(data: string, workload: string, uri: string): boolean {
  const { certificateChain: chain, key } = certificatePaths(workloadFolder(data, workload));
  try {
    const leaf = new X509Certificate(readFileSync(chain));
    // Under an intermediate authority it is made anew: chains are not looked at here.
    const isOfRoot = leaf.verify(new X509Certificate(readFileSync(bootstrapRootPath(data))).publicKey);
    const isFresh = leaf.validToDate.getTime() - clock.now() > (bootstrapTtlSec * 1000) / 2;
    return (
      isOfRoot &&
      isFresh &&
      leaf.subjectAltName === `URI:${uri}` &&
      leaf.checkPrivateKey(createPrivateKey(readFileSync(key)))
    );
  } catch {
    return false;
  }
}
