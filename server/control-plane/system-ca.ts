import { existsSync } from "node:fs";

/** Where the systems keep their certificate authorities as one file; the same places that Istio's agent looks at. */
const known = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
  "/usr/local/etc/ssl/cert.pem",
];

/** The first that is there: proxies run on machines like this one. Empty when there is none: a proxy then refuses the cluster by the file's name. */
export function systemCa(): { systemCaPath?: string } {
  const found = known.find((path) => existsSync(path));
  return found ? { systemCaPath: found } : {};
}
