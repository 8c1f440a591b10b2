import type { Clock } from "../lib/clock.ts";
import { bootstrapAuthorityFolder } from "./authority-files.ts";
import { type CertificateAuthority, openCertificateAuthority } from "./certificate-authority.ts";

/**
 * Who signs the certificates by which proxies come to the control plane. They are files and good for a year, so nobody else trusts this root: a
 * workload that is shown one refuses the connection. For the same reason they are of no use to a server.
 */
export const openBootstrapAuthority = (
  data: string,
  { clock, trustDomain }: { clock: Clock; trustDomain: string },
): Promise<CertificateAuthority> =>
  openCertificateAuthority(bootstrapAuthorityFolder(data), {
    clock,
    trustDomain,
    purpose: "client",
    organization: `${trustDomain} bootstrap`,
  });
