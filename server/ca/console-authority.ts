import { isIP } from "node:net";
import { join } from "node:path";
import type { Clock } from "../lib/clock.ts";
import { openHostAuthority } from "./host-authority.ts";

/** Its folder in the data folder. */
export const consoleAuthority = "console-ca";

export interface ServerTls {
  /** PEM each. */
  key: string;
  cert: string;
}

const ttlSec = 365 * 86_400;

/**
 * A certificate for this machine's names, of an authority that signs for the console's APIs and for nothing of the mesh. `names`: host names and addresses
 * by which it is called besides. Rejects with `CertificateAuthorityError`.
 */
export async function consoleCertificate(data: string, names: readonly string[], clock: Clock): Promise<ServerTls> {
  const authority = await openHostAuthority(join(data, consoleAuthority), { clock, organization: "Limpid console" });
  const isAddress = (name: string) => isIP(name) !== 0;
  const { chainPem, keyPem } = await authority.issue({
    names: {
      dns: ["localhost", ...names.filter((name) => !isAddress(name))],
      ips: ["127.0.0.1", "::1", ...names.filter((name) => isAddress(name) && !["127.0.0.1", "::1"].includes(name))],
    },
    ttlSec,
  });
  return { key: keyPem, cert: chainPem };
}
