import * as client from "openid-client";
import { isLoopback, type OidcSettings } from "./oidc-settings.ts";
import type { ProviderClaims } from "./sign-in.ts";

/** What has to be remembered of somebody between the way to the provider and the way back. */
export interface OidcAttempt {
  state: string;
  nonce: string;
  verifier: string;
}

/** One identity provider, by OpenID Connect's authorization code flow with PKCE (RFC 9700 §2.1.1). */
export interface OidcProvider {
  name: string;
  /** Where to send somebody. Rejects when the provider can't be reached. */
  begin(redirectUri: string): Promise<{ url: string; attempt: OidcAttempt }>;
  /** Whom the provider vouches for. Rejects with a reason for whoever reads the audit. */
  end(callback: URL, attempt: OidcAttempt): Promise<ProviderClaims>;
}

export function createOidcProvider(settings: OidcSettings): OidcProvider {
  const { issuer, clientId, clientSecret, scope } = settings;
  let discovered: Promise<client.Configuration> | undefined;
  /** When it is first needed, and again after a failure: the provider may start later than this. */
  const configuration = (): Promise<client.Configuration> => {
    discovered ??= client
      .discovery(
        new URL(issuer),
        clientId,
        clientSecret,
        clientSecret === undefined ? client.None() : undefined,
        // What comes straight from the provider over TLS may go unverified by the standard; here its signature is held to the published keys, too.
        { execute: [client.enableNonRepudiationChecks, ...insecure(issuer)], timeout: 10 },
      )
      .catch((error: unknown) => {
        discovered = undefined;
        throw error;
      });
    return discovered;
  };
  return {
    name: settings.name,
    async begin(redirectUri) {
      const attempt = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope,
        state: attempt.state,
        nonce: attempt.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(attempt.verifier),
        code_challenge_method: "S256",
      });
      return { url: url.href, attempt };
    },
    async end(callback, { state, nonce, verifier }) {
      const config = await configuration();
      const tokens = await client.authorizationCodeGrant(config, callback, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const identity = tokens.claims();
      if (identity === undefined) throw new Error("the provider sent no ID token");
      // Many a provider puts groups and names into UserInfo only.
      const more =
        identity[settings.groupsClaim] === undefined && config.serverMetadata().userinfo_endpoint !== undefined
          ? await client.fetchUserInfo(config, tokens.access_token, identity.sub)
          : {};
      return claimsOf({ ...more, ...identity }, settings);
    },
  };
}

const insecure = (issuer: string): ((config: client.Configuration) => void)[] =>
  isLoopback(new URL(issuer)) ? [client.allowInsecureRequests] : [];

type Claims = Readonly<Record<string, unknown>> & { iss: string; sub: string };

function claimsOf(claims: Claims, { groupsClaim, roles }: OidcSettings): ProviderClaims {
  const text = (name: string) => (typeof claims[name] === "string" ? claims[name] : undefined);
  const groups = Array.isArray(claims[groupsClaim]) ? claims[groupsClaim].map(String) : [];
  return {
    issuer: claims.iss,
    subject: claims.sub,
    name: text("preferred_username") ?? text("email") ?? claims.sub,
    displayName: text("name") ?? "",
    grants: roles.filter(({ group }) => group === "*" || groups.includes(group)).map(({ grant }) => grant),
  };
}
