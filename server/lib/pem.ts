/** The certificates of a PEM text, each by itself; there may be text between them. https://www.rfc-editor.org/rfc/rfc7468 */
export const certificateBlocks = (pem: string): string[] =>
  pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
