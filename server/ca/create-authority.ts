import { access, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { authorityFiles } from "./authority-files.ts";
import { CertificateAuthorityError } from "./errors.ts";
import { generateKeys, toPem } from "./keys.ts";
import { clockSkewMs, signRoot, toSecond } from "./sign.ts";

/** Ten years, as Istio's own. */
const rootTtlMs = 3650 * 86_400_000;

/** Whether any of an authority's files is there: then none is made beside it. */
export async function holdsAuthority(folder: string): Promise<boolean> {
  const found = await Promise.all(
    Object.values(authorityFiles).map((name) =>
      access(join(folder, name)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

/**
 * A root that signs itself. The files are written beside the folder, which then takes its name in one step: of several processes that do this at
 * once, one succeeds and the others find its authority; who reads never finds half of one.
 */
export async function createAuthorityFolder(folder: string, organization: string, now: number): Promise<void> {
  const keys = await generateKeys();
  const root = await signRoot(organization, keys, {
    notBeforeMs: toSecond(now - clockSkewMs),
    notAfterMs: toSecond(now + rootTtlMs),
  });
  let staged: string | undefined;
  try {
    await mkdir(dirname(folder), { recursive: true });
    staged = await mkdtemp(`${folder}.new-`); // 0700
    for (const name of [authorityFiles.root, authorityFiles.certificate, authorityFiles.chain]) {
      await writeFile(join(staged, name), root, { mode: 0o644, flush: true });
    }
    await writeFile(join(staged, authorityFiles.key), toPem(keys.privateKey), { mode: 0o600, flush: true });
    // Refused where there is a folder already, unless it is empty.
    await rename(staged, folder);
  } catch (error) {
    if (staged) await rm(staged, { recursive: true, force: true });
    if (await holdsAuthority(folder)) return;
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new CertificateAuthorityError(`the certificate authority can't be made in ${folder} (${reason})`);
  }
}
