import { createPrivateKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { X509Certificate, X509CrlGenerator, X509CrlReason } from "@peculiar/x509";

/** A list of an authority's certificates that are not to be trusted any more, in PEM. */
export async function revocationList(folder: string, serials: readonly string[]): Promise<string> {
  const [certificate, key] = await Promise.all(
    ["ca-cert.pem", "ca-key.pem"].map((name) => readFile(join(folder, name), "utf8")),
  );
  const crl = await X509CrlGenerator.create({
    issuer: new X509Certificate(certificate ?? "").subjectName,
    thisUpdate: new Date(Date.now() - 60_000),
    nextUpdate: new Date(Date.now() + 86_400_000),
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    signingKey: createPrivateKey(key ?? "").toCryptoKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
      "sign",
    ]) as CryptoKey,
    // With a reason: the library would write an empty list of extensions, which BoringSSL refuses.
    entries: serials.map((serialNumber) => ({
      serialNumber,
      revocationDate: new Date(Date.now() - 60_000),
      reason: X509CrlReason.keyCompromise,
    })),
  });
  return `-----BEGIN X509 CRL-----\n${crl.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END X509 CRL-----\n`;
}
