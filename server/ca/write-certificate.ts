import { chmod, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { IssuedCertificate } from "./certificate-authority.ts";

export interface CertificatePaths {
  /** PKCS #8, 0600. */
  key: string;
  certificateChain: string;
}

export const certificatePaths = (folder: string): CertificatePaths => ({
  key: join(folder, "key.pem"),
  certificateChain: join(folder, "cert-chain.pem"),
});

/** Puts `key.pem` and `cert-chain.pem` into a folder that only its owner may read, made where it is missing; each file is replaced as a whole. */
export async function writeCertificate(
  folder: string,
  { keyPem, chainPem }: Pick<IssuedCertificate, "keyPem" | "chainPem">,
): Promise<CertificatePaths> {
  const paths = certificatePaths(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await replaceFile(paths.key, keyPem);
  await replaceFile(paths.certificateChain, chainPem);
  return paths;
}

async function replaceFile(path: string, content: string): Promise<void> {
  const staged = `${path}.${process.pid}.new`;
  try {
    await rm(staged, { force: true });
    await writeFile(staged, content, { mode: 0o600, flag: "wx" });
    await rename(staged, path);
  } catch (error) {
    await rm(staged, { force: true });
    throw error;
  }
}
