import type { CertificateAuthority } from "../../ca/certificate-authority.ts";
import { CertificateAuthorityError } from "../../ca/errors.ts";
import type { Clock } from "../../lib/clock.ts";
import type { JsonFile } from "../../lib/json-file.ts";
import { IdentityRegister } from "./identity-register.ts";
import { JoinTokens } from "./join-tokens.ts";

/** Where tokens, and what was signed and revoked, are kept over a restart. */
export interface IdentityFiles {
  tokens: JsonFile;
  register: JsonFile;
}

/** Who may join, what was signed, and who gets nothing more. */
export interface Identities {
  readonly trustDomain: string;
  readonly tokens: JoinTokens;
  readonly register: IdentityRegister;
  /** Signs as the authority does, notes it, and not for whom was revoked. */
  readonly authority: CertificateAuthority;
  /** What proxies must trust, in PEM. */
  readonly rootPem: string;
}

export function createIdentities(authority: CertificateAuthority, clock: Clock, files?: IdentityFiles): Identities {
  const register = new IdentityRegister(clock, authority.trustDomain, files?.register);
  return {
    trustDomain: authority.trustDomain,
    tokens: new JoinTokens(clock, files?.tokens),
    register,
    get rootPem() {
      return authority.rootPem;
    },
    authority: {
      trustDomain: authority.trustDomain,
      get rootPem() {
        return authority.rootPem;
      },
      get notAfterMs() {
        return authority.notAfterMs;
      },
      sign: (request) => authority.sign(request),
      onChange: (listener) => authority.onChange?.(listener),
      async issue(request) {
        if (register.isRevoked(request.spiffeUri)) {
          throw new CertificateAuthorityError(`${request.spiffeUri} was revoked: it gets no certificate any more`);
        }
        const issued = await authority.issue(request);
        const { serial, spiffeUri, notBeforeMs, notAfterMs } = issued;
        register.add({ serial, spiffeUri, notBeforeMs, notAfterMs, by: "stream" });
        return issued;
      },
    },
  };
}
