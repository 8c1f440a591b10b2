/** The authority's files cannot be used as they are: whoever starts again finds the same. The message names the file and what would mend it. */
export class CertificateAuthorityError extends Error {
  readonly code = "CERTIFICATE_AUTHORITY";
}
