import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IssuedCertificate } from "./certificate-authority.ts";

/** Where a certificate lies for a proxy to read at its start. */
export const certificateFiles = (folder: string) => ({
  chain: join(folder, "cert-chain.pem"),
  key: join(folder, "key.pem"),
});

/** Folder 0700, files 0600, each replaced as a whole. */
export function writeCertificate(folder: string, { chainPem, keyPem }: IssuedCertificate): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { chain, key } = certificateFiles(folder);
  for (const [path, pem] of [
    [key, keyPem],
    [chain, chainPem],
  ] as const) {
    writeFileSync(`${path}.new`, pem, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}
