import "reflect-metadata"; // x509 looks for it when it is loaded
import { webcrypto } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** A certificate with its key, as PEM. */
export interface TestCertificate {
  chain: string;
  key: string;
}

interface CertificateOptions {
  /** SPIFFE ids. */
  uris?: string[];
  dns?: string[];
  subject?: string;
  notBefore?: Date;
  notAfter?: Date;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const dayMs = 86_400_000;

/** A certificate authority for tests: never the product's own, which the sidecar may not know. */
export class TestAuthority {
  readonly pem: string;
  private readonly certificate: X509Certificate;
  private readonly keys: CryptoKeyPair;

  private constructor(certificate: X509Certificate, keys: CryptoKeyPair) {
    this.certificate = certificate;
    this.keys = keys;
    this.pem = `${certificate.toString("pem")}\n`;
  }

  static async create(name = "test"): Promise<TestAuthority> {
    const keys = await newKeys();
    const certificate = await X509CertificateGenerator.createSelfSigned(
      {
        name: `O=limpid,CN=${name}`,
        keys,
        signingAlgorithm: algorithm,
        notBefore: new Date(Date.now() - dayMs),
        notAfter: new Date(Date.now() + 10 * dayMs),
        extensions: [
          new BasicConstraintsExtension(true, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
          await SubjectKeyIdentifierExtension.create(keys.publicKey),
        ],
      },
      webcrypto as Crypto,
    );
    return new TestAuthority(certificate, keys);
  }

  async issue({
    uris = [],
    dns = [],
    subject = "",
    notBefore,
    notAfter,
  }: CertificateOptions): Promise<TestCertificate> {
    const keys = await newKeys();
    const names = [
      ...uris.map((value) => ({ type: "url" as const, value })),
      ...dns.map((value) => ({ type: "dns" as const, value })),
    ];
    const certificate = await X509CertificateGenerator.create(
      {
        subject,
        issuer: this.certificate.subject,
        publicKey: keys.publicKey,
        signingKey: this.keys.privateKey,
        signingAlgorithm: algorithm,
        notBefore: notBefore ?? new Date(Date.now() - dayMs),
        notAfter: notAfter ?? new Date(Date.now() + dayMs),
        extensions: [
          new SubjectAlternativeNameExtension(names, subject === ""),
          new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
          await AuthorityKeyIdentifierExtension.create(this.certificate.publicKey),
        ],
      },
      webcrypto as Crypto,
    );
    const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
    const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)?.join("\n")}\n-----END PRIVATE KEY-----\n`;
    return { chain: `${certificate.toString("pem")}\n`, key };
  }
}

const newKeys = async () =>
  (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as unknown as CryptoKeyPair;

export const spiffe = (account: string): string => `spiffe://cluster.local/ns/default/sa/${account}`;
