/** One subject alternative name of a certificate. */
export interface AltName {
  readonly type: string;
  readonly value: string;
}

/**
 * Takes apart what Node writes of a certificate's names, such as `DNS:a.example, URI:spiffe://b/c`. A name that could be taken for several is
 * written by Node as a JSON string (CVE-2021-44532): it stays one name here, and is compared as it stands in the certificate.
 * https://nodejs.org/api/crypto.html#x509subjectaltname
 */
export function altNames(text: string | undefined): AltName[] {
  const names: AltName[] = [];
  for (const [, type = "", value = ""] of (text ?? "").matchAll(/([^:,]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g)) {
    names.push({ type, value: value.startsWith('"') ? unquoted(value) : value });
  }
  return names;
}

function unquoted(value: string): string {
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}
