// The library's parts find each other through it.
import "reflect-metadata";
import { createPrivateKey, type KeyObject, randomBytes } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import type { SigningMaterial } from "./authority-files.ts";
import type { IssuedCertificate } from "./certificate-authority.ts";

const { subtle } = globalThis.crypto;
const p256 = { name: "ECDSA", namedCurve: "P-256" } as const;

const minuteMs = 60_000;
const yearMs = 365 * 24 * 3_600_000;
/** Clocks of a mesh's machines are not quite alike. */
const skewMs = minuteMs;

/** A root that signs itself, and its key, in PEM. */
export async function createRoot(trustDomain: string, now: number): Promise<{ certificate: string; key: string }> {
  const keys = await subtle.generateKey(p256, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: [{ O: [trustDomain] }, { CN: ["Limpid root"] }],
    notBefore: new Date(now - skewMs),
    notAfter: new Date(now + 10 * yearMs),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pemOf(certificate), key: await keyPem(keys.privateKey) };
}

type Sign = (spiffeUri: string, now: number, ttlMs: number) => Promise<IssuedCertificate>;

/** What signs X.509-SVIDs. https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md */
export async function signer({ certificate, intermediatesPem, key }: SigningMaterial): Promise<Sign> {
  const issuer = new X509Certificate(certificate.toString());
  const { signingKey, signingAlgorithm } = await importSigningKey(key);
  const latest = certificate.validToDate.getTime();
  const keyIdentifier = await AuthorityKeyIdentifierExtension.create(issuer);
  return async (spiffeUri, now, ttlMs) => {
    const keys = await subtle.generateKey(p256, true, ["sign", "verify"]);
    const serialNumber = newSerial();
    // X.509 counts seconds.
    const notBefore = Math.floor((now - skewMs) / 1000) * 1000;
    const notAfter = Math.min(Math.floor((now + ttlMs) / 1000) * 1000, latest);
    const issued = await X509CertificateGenerator.create({
      serialNumber,
      issuer: issuer.subjectName,
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      publicKey: keys.publicKey,
      signingKey,
      signingAlgorithm,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
        keyIdentifier,
        // With an empty subject the name must be critical.
        new SubjectAlternativeNameExtension([{ type: "url", value: spiffeUri }], true),
      ],
    });
    return {
      keyPem: await keyPem(keys.privateKey),
      chainPem: pemOf(issued) + intermediatesPem,
      serial: serialNumber,
      notBeforeMs: notBefore,
      notAfterMs: notAfter,
    };
  };
}

async function importSigningKey(key: KeyObject) {
  const pkcs8 = key.export({ type: "pkcs8", format: "der" });
  const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
  const namedCurve = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" }[curve];
  if (key.asymmetricKeyType === "ec" && namedCurve !== undefined) {
    const hash = namedCurve === "P-256" ? "SHA-256" : "SHA-384";
    const signingKey = await subtle.importKey("pkcs8", pkcs8, { name: "ECDSA", namedCurve }, false, ["sign"]);
    return { signingKey, signingAlgorithm: { name: "ECDSA", hash } };
  }
  if (key.asymmetricKeyType === "rsa") {
    const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
    return {
      signingKey: await subtle.importKey("pkcs8", pkcs8, algorithm, false, ["sign"]),
      signingAlgorithm: algorithm,
    };
  }
  throw new Error(
    `the signing key must be RSA, or ECDSA on P-256, P-384 or P-521, not ${key.asymmetricKeyType} ${curve}`,
  );
}

/** 127 random bits: positive, and never used twice (RFC 5280, 4.1.2.2). */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

const pemOf = (certificate: X509Certificate): string => `${certificate.toString("pem")}\n`;

async function keyPem(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await subtle.exportKey("pkcs8", key));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
    .export({ type: "pkcs8", format: "pem" })
    .toString();
}
