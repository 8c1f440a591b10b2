import { type NameTest, namesMatch } from "./validation.ts";

/** The peer's certificate is good, but somebody else's. */
export class WrongName extends Error {
  constructor(subjectAltName: string | undefined) {
    super(
      `SAN matcher, certificate SANs are [${(subjectAltName ?? "").replace(/\b(URI|DNS|IP Address|email):/g, "")}]`,
    );
  }
}

/** For `checkServerIdentity`: the names that the config wants, not the host that was dialled. */
export const wrongName = (names: readonly NameTest[], subjectAltName: string | undefined): WrongName | undefined =>
  namesMatch(names, subjectAltName) ? undefined : new WrongName(subjectAltName);

/** The peer's certificate is good, but none of those that are named by a hash. */
export class WrongHash extends Error {
  constructor() {
    super("the certificate is none of those in verify_certificate_hash and verify_certificate_spki");
  }
}

/** Envoy's form of `upstream_transport_failure_reason` for TLS. */
export const tlsError = (what: string): string => `TLS_error:|${what}:TLS_error_end`;

export const isTlsError = (reason: string): boolean => reason.startsWith("TLS_error:");

export const secretMissing = tlsError("Secret is not supplied by SDS");

/** The peer of a connection that was made closed it before it said anything: with TLS 1.3 a client learns only so that it was turned away. */
export const turnedAway = tlsError("closed by the peer right after the handshake; it may have refused our certificate");

export type TlsFailureKind = "network" | "protocol" | "verify" | "name" | "hash";

/** What kind of failure an `error` event of a TLS socket is; `distrusted`: OpenSSL refused the peer's chain for that reason. */
export function failureKind(error: NodeJS.ErrnoException, distrusted: boolean): TlsFailureKind {
  if (error instanceof WrongName) return "name";
  if (error instanceof WrongHash) return "hash";
  if (error.code?.startsWith("ERR_SSL_") === true || error.code === "EPROTO") return "protocol";
  return distrusted ? "verify" : "network";
}

/** What goes into the log: readable, and without addresses of OpenSSL's memory. */
export function failureReason(error: NodeJS.ErrnoException, kind: TlsFailureKind): string {
  const { code = error.message } = error;
  switch (kind) {
    case "name":
    case "hash":
      return tlsError(`CERTIFICATE_VERIFY_FAILED:verify cert failed: ${error.message}`);
    case "verify":
      return tlsError(`CERTIFICATE_VERIFY_FAILED:verify cert failed: ${error.message}`);
    case "protocol":
      return tlsError(code.replace(/^ERR_SSL_/, ""));
    case "network":
      // Node's own words for a peer that hangs up in the middle; the code alone would look like a port that nobody has.
      return error.message.startsWith("Client network socket disconnected")
        ? tlsError("closed by the peer during the handshake")
        : code;
  }
}
