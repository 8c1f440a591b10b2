import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { link, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { CertificateAuthorityError } from "./errors.ts";

/** Keeps values so that whoever reads the store, or a copy of it, can do nothing with them. */
export interface Sealer {
  /** `context` says where it belongs: elsewhere it can't be opened. Twice the same value makes two different texts. */
  seal(value: Uint8Array, context: string): string;
  /** Undefined: it was sealed by another key, for another place, or changed. */
  open(sealed: string, context: string): Buffer | undefined;
}

const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;

interface Key {
  id: string;
  bytes: Buffer;
}

/**
 * The sealer of a key file, which is made when there is none: a line of base64 for each key of 32 bytes. The first seals, all open: a new key
 * goes before the old ones. AES-256-GCM with a nonce of its own for each value (NIST SP 800-38D).
 * Rejects with `CertificateAuthorityError` for a file that can't be used.
 */
export async function openSealer(path: string): Promise<Sealer> {
  await makeKeyFile(path);
  const keys = readKeys(path);
  const [first] = keys;
  if (first === undefined) throw new CertificateAuthorityError(`${path} holds no key`);
  return {
    seal(value, context) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", first.bytes, iv).setAAD(Buffer.from(context));
      const parts = [iv, cipher.update(value), cipher.final(), cipher.getAuthTag()];
      return `sealed:v1:${first.id}:${Buffer.concat(parts).toString("base64")}`;
    },
    open(sealed, context) {
      const [form, version, id, text = ""] = sealed.split(":");
      const key = keys.find((it) => it.id === id);
      if (form !== "sealed" || version !== "v1" || key === undefined) return undefined;
      const bytes = Buffer.from(text, "base64");
      if (bytes.length < ivBytes + tagBytes) return undefined;
      const tagAt = bytes.length - tagBytes;
      try {
        const decipher = createDecipheriv("aes-256-gcm", key.bytes, bytes.subarray(0, ivBytes), {
          authTagLength: tagBytes,
        })
          .setAAD(Buffer.from(context))
          .setAuthTag(bytes.subarray(tagAt));
        return Buffer.concat([decipher.update(bytes.subarray(ivBytes, tagAt)), decipher.final()]);
      } catch {
        return undefined;
      }
    },
  };
}

/** Written beside, and given its name in one step: of several processes one succeeds, and all read its key. */
async function makeKeyFile(path: string): Promise<void> {
  // Also in a folder that can only be read.
  if (existsSync(path)) return;
  const staged = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(staged, `${randomBytes(keyBytes).toString("base64")}\n`, { mode: 0o600, flag: "wx", flush: true });
    await link(staged, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST") throw new CertificateAuthorityError(`${path} can't be made (${code ?? String(error)})`);
  } finally {
    await rm(staged, { force: true });
  }
}

function readKeys(path: string): Key[] {
  const { mode, uid } = statSync(path);
  if (process.platform !== "win32" && uid === process.getuid?.() && (mode & 0o077) !== 0) {
    throw new CertificateAuthorityError(`${path} can be read by others; run: chmod 600 ${path}`);
  }
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line, index) => {
    const bytes = Buffer.from(line, "base64");
    if (bytes.length !== keyBytes) {
      throw new CertificateAuthorityError(`${path}: key ${index + 1} is not ${keyBytes} bytes in base64`);
    }
    return { id: createHash("sha256").update(bytes).digest("hex").slice(0, 8), bytes };
  });
}
