import "reflect-metadata"; // x509's dependency injection looks for it when it is loaded
import { type KeyObject, randomBytes } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { CertificateAuthorityError } from "./errors.ts";
import type { KeyPair } from "./keys.ts";

/** Clocks differ: a certificate that begins this moment would be refused by whoever is behind. As in Istio. */
export const clockSkewMs = 120_000;

export const toSecond = (ms: number): number => Math.floor(ms / 1000) * 1000;

/** Unix milliseconds, whole seconds: X.509 knows no fractions. */
export interface Validity {
  notBeforeMs: number;
  notAfterMs: number;
}

/** A key that certificates are signed with, and the certificate of that key. */
export interface Signer {
  key: CryptoKey;
  hash: string;
  certificate: X509Certificate;
  /** Alike in everything it signs. */
  extensions: Extension[];
}

/** A root that signs itself. https://datatracker.ietf.org/doc/html/rfc5280#section-4.2.1 */
export async function signRoot(organization: string, keys: KeyPair, validity: Validity): Promise<string> {
  const publicKey = toX509(keys.publicKey);
  const name = [{ O: [organization] }];
  const certificate = await X509CertificateGenerator.create({
    ...dates(validity),
    serialNumber: serialNumber(),
    subject: name,
    issuer: name,
    publicKey,
    signingKey: await signingKey(keys.privateKey),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return pem(certificate);
}

/** What the holders of an authority's certificates may be: both ends of a connection, or only the one that opens it. */
export type Purpose = "workload" | "client";

const usages: Record<Purpose, ExtendedKeyUsage[]> = {
  workload: [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth],
  client: [ExtendedKeyUsage.clientAuth],
};

/** Rejects with `CertificateAuthorityError` for a kind of key whose signatures proxies could not check. */
export async function createSigner(certificatePem: string, privateKey: KeyObject, purpose: Purpose): Promise<Signer> {
  const key = await signingKey(privateKey);
  const isP384 = privateKey.asymmetricKeyDetails?.namedCurve === "secp384r1";
  const certificate = new X509Certificate(certificatePem);
  const extensions = [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(usages[purpose]),
    ...authorityKey(certificate),
  ];
  return { key, hash: isP384 ? "SHA-384" : "SHA-256", certificate, extensions };
}

/**
 * A leaf whose name is its SPIFFE id, with `hosts` for a server that is called by them: no subject, so the extension that holds them is critical.
 * https://github.com/spiffe/spiffe/blob/main/standards/X509-SVID.md
 */
export async function signWorkload(
  signer: Signer,
  spiffeUri: string,
  key: KeyObject,
  validity: Validity,
  hosts: HostNames = {},
): Promise<{ pem: string; serial: string }> {
  const publicKey = toX509(key);
  const serial = serialNumber();
  const certificate = await X509CertificateGenerator.create({
    ...dates(validity),
    serialNumber: serial,
    issuer: signer.certificate.subjectName,
    publicKey,
    signingKey: signer.key,
    signingAlgorithm: { name: signer.key.algorithm.name, hash: signer.hash },
    extensions: [
      ...signer.extensions,
      await SubjectKeyIdentifierExtension.create(publicKey),
      new SubjectAlternativeNameExtension([{ type: "url", value: spiffeUri }, ...hostNames(hosts)], true),
    ],
  });
  return { pem: pem(certificate), serial };
}

/** By which a server, or a person, is called outside of the mesh. */
export interface HostNames {
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly uris?: readonly string[];
}

const hostNames = ({ dns = [], ips = [], uris = [] }: HostNames) => [
  ...dns.map((value) => ({ type: "dns" as const, value })),
  ...ips.map((value) => ({ type: "ip" as const, value })),
  ...uris.map((value) => ({ type: "url" as const, value })),
];

/** A leaf for what is no workload: its common name is the first of its names. */
export async function signHost(
  signer: Signer,
  { dns = [], ips = [], uris = [] }: HostNames,
  key: KeyObject,
  validity: Validity,
): Promise<{ pem: string; serial: string }> {
  const publicKey = toX509(key);
  const serial = serialNumber();
  const names = hostNames({ dns, ips, uris });
  const certificate = await X509CertificateGenerator.create({
    ...dates(validity),
    serialNumber: serial,
    subject: [{ CN: [names[0]?.value ?? "host"] }],
    issuer: signer.certificate.subjectName,
    publicKey,
    signingKey: signer.key,
    signingAlgorithm: { name: signer.key.algorithm.name, hash: signer.hash },
    extensions: [
      ...signer.extensions,
      await SubjectKeyIdentifierExtension.create(publicKey),
      new SubjectAlternativeNameExtension(names),
    ],
  });
  return { pem: pem(certificate), serial };
}

/** As the authority's own certificate has it, since whoever made that may have derived it otherwise than we would. */
function authorityKey(authority: X509Certificate): Extension[] {
  const subjectKey = authority.getExtension(SubjectKeyIdentifierExtension);
  return subjectKey ? [new AuthorityKeyIdentifierExtension(subjectKey.keyId)] : [];
}

async function signingKey(key: KeyObject): Promise<CryptoKey> {
  const algorithm = algorithmOf(key);
  if (!algorithm) {
    throw new CertificateAuthorityError("ca-key.pem: the signing key must be ECDSA (P-256 or P-384) or RSA");
  }
  return key.toCryptoKey(algorithm, false, ["sign"]) as CryptoKey;
}

function algorithmOf(key: KeyObject): Parameters<KeyObject["toCryptoKey"]>[0] | undefined {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (curve === "prime256v1") return { name: "ECDSA", namedCurve: "P-256" };
  if (curve === "secp384r1") return { name: "ECDSA", namedCurve: "P-384" };
  if (key.asymmetricKeyType === "rsa") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  return undefined;
}

const toX509 = (key: KeyObject): PublicKey => new PublicKey(key.export({ type: "spki", format: "der" }));

/** 128 random bits, of which the first two are fixed: positive, and as long as it looks. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

const dates = ({ notBeforeMs, notAfterMs }: Validity) => ({
  notBefore: new Date(notBeforeMs),
  notAfter: new Date(notAfterMs),
});

const pem = (certificate: X509Certificate): string => `${certificate.toString("pem")}\n`;
