import { generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** ECDSA P-256, made off the main thread. */
export const generateKeys = async (): Promise<KeyPair> =>
  await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });

/** PKCS #8 in PEM. */
export const toPem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }).toString();
