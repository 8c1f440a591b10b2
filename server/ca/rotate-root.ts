import type { X509Certificate } from "node:crypto";
import { copyFile, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { authorityFiles, certificatesOf, readAuthority } from "./authority-files.ts";
import { createAuthorityFolder, holdsAuthority } from "./create-authority.ts";
import { CertificateAuthorityError } from "./errors.ts";

/**
 * How far one root has given way to another. `announced`: both are trusted and the old one signs. `switched`: both are trusted and the new one signs.
 * https://www.rfc-editor.org/rfc/rfc4210#section-4.4 has the same three steps.
 */
export type RotationStage = "none" | "announced" | "switched";

export interface Rotation {
  stage: RotationStage;
  /** What is trusted, what signs first. */
  roots: X509Certificate[];
}

/** Longest that a workload's certificate lives: that long after the switch one by the old root may be shown. */
export const overlapMs = 86_400_000;

const nextFolder = (folder: string): string => join(folder, "next");

/** Throws `CertificateAuthorityError` when the folder holds none, or half of one. */
export async function rotationOf(folder: string, now: number): Promise<Rotation> {
  const { rootPem } = await readAuthority(folder, now);
  const roots = certificatesOf(rootPem, join(folder, authorityFiles.root));
  if (await holdsAuthority(nextFolder(folder))) return { stage: "announced", roots };
  return { stage: roots.length > 1 ? "switched" : "none", roots };
}

/** The next step of three; each is taken up by the control plane while it runs (live-authority.ts). A step that was cut short is done again by the next call. */
export async function rotateRoot(folder: string, { now, force = false }: { now: number; force?: boolean }) {
  const next = nextFolder(folder);
  if (await isHalfSwitched(folder)) return await finishSwitch(folder, now);
  const { stage, roots } = await rotationOf(folder, now);
  if (stage === "none") return await announce(folder, roots, now);
  if (stage === "announced") {
    const [root] = certificatesOf(await readFile(join(next, authorityFiles.root), "utf8"), next);
    if (!roots.some(({ raw }) => root?.raw.equals(raw))) return await announce(folder, roots, now);
    return await finishSwitch(folder, now);
  }
  return await forget(folder, roots, { now, force });
}

async function announce(folder: string, roots: readonly X509Certificate[], now: number): Promise<Rotation> {
  const { certificate, intermediates } = await readAuthority(folder, now);
  if (intermediates.length > 0 || !roots.some(({ raw }) => raw.equals(certificate.raw))) {
    throw new CertificateAuthorityError(
      `${join(folder, authorityFiles.certificate)} was signed elsewhere: have the next one signed there, and put both roots into ${authorityFiles.root}`,
    );
  }
  const next = nextFolder(folder);
  if (!(await holdsAuthority(next))) await createAuthorityFolder(next, organizationOf(certificate), now);
  const [root] = certificatesOf(await readFile(join(next, authorityFiles.root), "utf8"), next);
  if (root === undefined) throw new CertificateAuthorityError(`${next} holds no root`);
  await writeRoots(folder, [...roots, root]);
  return await rotationOf(folder, now);
}

const organizationOf = ({ subject }: X509Certificate): string => /^O=(.*)$/m.exec(subject ?? "")?.[1] ?? "limpid";

/** Between the first and the last file: the key and the certificate are not of each other, or not yet both there. */
async function isHalfSwitched(folder: string): Promise<boolean> {
  const next = nextFolder(folder);
  if (!(await holdsAuthority(next))) return false;
  const [key, nextKey] = await Promise.all(
    [folder, next].map((it) => readFile(join(it, authorityFiles.key), "utf8").catch(() => undefined)),
  );
  return nextKey !== undefined && key === nextKey;
}

/** The key first: by it is told that the others are still to come. */
async function finishSwitch(folder: string, now: number): Promise<Rotation> {
  const next = nextFolder(folder);
  for (const name of [authorityFiles.key, authorityFiles.certificate, authorityFiles.chain]) {
    const staged = join(folder, `${name}.new`);
    await copyFile(join(next, name), staged); // With its mode: 0600 for the key.
    await rename(staged, join(folder, name));
  }
  await rm(next, { recursive: true });
  return await rotationOf(folder, now);
}

async function forget(
  folder: string,
  [root]: readonly X509Certificate[],
  { now, force }: { now: number; force: boolean },
): Promise<Rotation> {
  const { mtimeMs } = await stat(join(folder, authorityFiles.certificate));
  const until = mtimeMs + overlapMs;
  if (!force && now < until) {
    throw new CertificateAuthorityError(
      `certificates by the old root are good until ${new Date(until).toISOString()}; --force forgets it before, and refuses who still shows one`,
    );
  }
  if (root === undefined) throw new CertificateAuthorityError(`${folder} holds no root`);
  await writeRoots(folder, [root]);
  return await rotationOf(folder, now);
}

async function writeRoots(folder: string, roots: readonly X509Certificate[]): Promise<void> {
  const path = join(folder, authorityFiles.root);
  await writeFile(`${path}.new`, roots.map(String).join(""), { mode: 0o644, flush: true });
  await rename(`${path}.new`, path);
}
