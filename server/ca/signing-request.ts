import "reflect-metadata"; // x509's dependency injection looks for it when it is loaded
import { createPublicKey, type KeyObject } from "node:crypto";
import { Pkcs10CertificateRequest, Pkcs10CertificateRequestGenerator } from "@peculiar/x509";
import { CertificateAuthorityError } from "./errors.ts";
import type { KeyPair } from "./keys.ts";

const maxRequestBytes = 16 * 1024;

/**
 * The key of a PKCS #10 request in PEM, whose holder signed the request with it (RFC 2986). Names in it are not looked at: who asks is told by how they ask.
 * Rejects with `CertificateAuthorityError` that says what is wrong.
 */
export async function readSigningRequest(pem: string): Promise<KeyObject> {
  if (pem.length > maxRequestBytes) throw new CertificateAuthorityError(`csr: has more than ${maxRequestBytes} bytes`);
  let request: Pkcs10CertificateRequest;
  let key: KeyObject;
  try {
    request = new Pkcs10CertificateRequest(pem);
    key = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: "der", type: "spki" });
  } catch {
    throw new CertificateAuthorityError("csr: is no certificate request in PEM form (PKCS #10)");
  }
  const weakness = weaknessOf(key);
  if (weakness !== undefined) throw new CertificateAuthorityError(`csr: its key ${weakness}`);
  if (!(await request.verify().catch(() => false))) {
    throw new CertificateAuthorityError("csr: its signature is not by the key that is in it");
  }
  return key;
}

function weaknessOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  if (type === "rsa") return (details?.modulusLength ?? 0) >= 2048 ? undefined : "must have at least 2048 bits";
  if (type !== "ec") return `must be ECDSA or RSA, not ${type}`;
  const isUsual = details?.namedCurve === "prime256v1" || details?.namedCurve === "secp384r1";
  return isUsual ? undefined : "must be of the curve P-256 or P-384";
}

/** A request in PEM for a key of P-256 that does not leave this process. */
export async function createSigningRequest({ privateKey, publicKey }: KeyPair): Promise<string> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: "",
    keys: {
      privateKey: privateKey.toCryptoKey(algorithm, false, ["sign"]) as CryptoKey,
      publicKey: publicKey.toCryptoKey(algorithm, true, ["verify"]) as CryptoKey,
    },
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
  });
  return request.toString("pem");
}
