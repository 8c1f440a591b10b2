import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export type KeyType = "ec" | "rsa";

/** ECDSA P-256, or RSA for clients that know nothing else; made off the main thread. */
export const generateKeys = async (type: KeyType = "ec"): Promise<KeyPair> =>
  type === "ec"
    ? await promisify(generateKeyPair)("ec", { namedCurve: "P-256" })
    : await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });

/** PKCS #8 in PEM. */
export const toPem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();
