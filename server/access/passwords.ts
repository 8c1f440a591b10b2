import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from "node:crypto";

/** OWASP's second choice of cost: 32 MiB, and some 0.2 s of a core. https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html */
const cost = { N: 32_768, r: 8, p: 3 };
const keyLength = 32;

/** Past these a sign-in waits its turn, and past those it is refused: each takes a thread and 32 MiB. */
const maxAtOnce = 2;
const maxWaiting = 16;

/** Too many passwords are being checked. */
export class PasswordsBusyError extends Error {}

let running = 0;
const waiting: (() => void)[] = [];

/** `scrypt$N$r$p$salt$hash`, in base64url. Rejects with PasswordsBusyError. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, cost);
  const { N, r, p } = cost;
  return ["scrypt", N, r, p, salt.toString("base64url"), hash.toString("base64url")].join("$");
}

const decoySalt = randomBytes(16);

/**
 * Whether this is the password. `kept` null: there is none, which takes as long as a wrong one, so that nobody learns by the clock who has an account.
 * Rejects with PasswordsBusyError.
 */
export async function checkPassword(password: string, kept: string | null): Promise<boolean> {
  const [kind, N, r, p, salt, hash] = kept?.split("$") ?? [];
  if (kind !== "scrypt" || salt === undefined || hash === undefined) {
    await derive(password, decoySalt, cost);
    return false;
  }
  const expected = Buffer.from(hash, "base64url");
  const found = await derive(password, Buffer.from(salt, "base64url"), { N: Number(N), r: Number(r), p: Number(p) });
  return found.length === expected.length && timingSafeEqual(found, expected);
}

async function derive(password: string, salt: Buffer, { N, r, p }: typeof cost): Promise<Buffer> {
  await turn();
  try {
    const options: ScryptOptions = { N, r, p, maxmem: 256 * N * r };
    // As typed on any keyboard: RFC 8265 §4.2.1 wants one form of each character.
    return await new Promise<Buffer>((resolve, reject) =>
      scrypt(password.normalize("NFC"), salt, keyLength, options, (error, key) =>
        error ? reject(error) : resolve(key),
      ),
    );
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

function turn(): Promise<void> | undefined {
  if (running < maxAtOnce) {
    running += 1;
    return undefined;
  }
  if (waiting.length >= maxWaiting) throw new PasswordsBusyError("too many passwords are being checked");
  return new Promise((resolve) =>
    waiting.push(() => {
      running += 1;
      resolve();
    }),
  );
}
