import { statSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "../lib/logger.ts";
import { authorityFiles } from "./authority-files.ts";
import { type AuthorityOptions, type CertificateAuthority, openCertificateAuthority } from "./certificate-authority.ts";

export interface LiveAuthority extends CertificateAuthority {
  /** Looks at the files now; resolves when what they say is in force. Never rejects. */
  refresh(): Promise<void>;
  stop(): void;
}

const everyMs = 2_000;

/**
 * The authority in a folder as it is at the moment: `limpid ca rotate` changes files while it signs. Files that don't fit each other, as between two of a
 * step, are looked at again; until they do, the one before stays in force. Looked at rather than watched: file systems of containers tell of no changes.
 */
export async function openLiveAuthority(
  folder: string,
  options: AuthorityOptions & { logger: Pick<Logger, "info" | "warn"> },
): Promise<LiveAuthority> {
  const { clock, logger } = options;
  let authority = await openCertificateAuthority(folder, options);
  let seen = fingerprint(folder);
  const listeners: (() => void)[] = [];
  let timer: { cancel(): void } | undefined;
  let looking = Promise.resolve();

  const look = async (): Promise<void> => {
    const found = fingerprint(folder);
    if (found === seen) return;
    try {
      const next = await openCertificateAuthority(folder, options);
      if (fingerprint(folder) !== found) return; // it changed while it was read
      seen = found;
      authority = next;
      logger.info({ folder }, "the certificate authority's files were changed, and are in force");
      for (const listener of listeners) listener();
    } catch (error) {
      logger.warn(
        { err: error, folder },
        "the certificate authority's files can't be used: those before stay in force",
      );
    }
  };
  const refresh = (): Promise<void> => (looking = looking.then(look));
  const arm = (): void => {
    timer = clock.setTimeout(() => void refresh().then(() => timer && arm()), everyMs);
  };
  arm();
  return {
    trustDomain: options.trustDomain,
    get rootPem() {
      return authority.rootPem;
    },
    get notAfterMs() {
      return authority.notAfterMs;
    },
    issue: (request) => authority.issue(request),
    sign: (request) => authority.sign(request),
    onChange: (listener) => void listeners.push(listener),
    refresh,
    stop() {
      timer?.cancel();
      timer = undefined;
    },
  };
}

/** Changes with every file that was put in the place of another. */
function fingerprint(folder: string): string {
  const of = (name: string): string => {
    const stats = statSync(join(folder, name), { throwIfNoEntry: false });
    return stats ? `${stats.ino}:${stats.size}:${stats.mtimeMs}` : "none";
  };
  return Object.values(authorityFiles).map(of).join(" ");
}
