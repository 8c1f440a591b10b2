import type { Access } from "../access/access.ts";
import type { OidcAttempt, OidcProvider } from "../access/oidc.ts";
import { newSecret } from "../access/secrets.ts";
import { DashboardError, ownAddress } from "../contract/index.ts";
import { type ApiCall, type ApiRoutes, Reply } from "./api-call.ts";
import { cookie, cookieName } from "./cookie.ts";
import { sessionCookie } from "./sign-in-api.ts";

export interface OidcApiOptions {
  access: Access;
  provider: OidcProvider;
  /** The console's address for people, without a slash at its end. */
  url: string;
}

/** How long somebody may take at the provider. */
const attemptSec = 600;
/** Past these the oldest is forgotten: anybody can begin. */
const maxAttempts = 1_000;

interface Waiting {
  attempt: OidcAttempt;
  next: string;
  endsAt: number;
}

/** To the identity provider and back. What is remembered meanwhile is bound to the browser that began, by a cookie of its own. */
export function addOidcRoutes(api: ApiRoutes, { access, provider, url }: OidcApiOptions): void {
  const waiting = new Map<string, Waiting>();
  const redirectUri = `${url}/api/sign-in/oidc/callback`;
  const refuse = async (call: ApiCall, error: unknown): Promise<Reply> => {
    const isTold = error instanceof DashboardError;
    // A refusal that has a word of its own was written down where it was made.
    if (!isTold)
      await access.note({
        actor: "",
        way: "oidc",
        address: call.address,
        action: "sign-in",
        result: "refused",
        reason: reasonOf(error),
      });
    const refused = isTold && error.reason === "oidc-no-role" ? error.reason : "oidc-failed";
    return redirect(`/sign-in?${new URLSearchParams({ refused })}`, attemptCookie(call, ""));
  };

  api.add(
    "GET",
    "/api/sign-in/oidc",
    async (call) => {
      try {
        const { url: address, attempt } = await provider.begin(redirectUri);
        const secret = newSecret();
        if (waiting.size >= maxAttempts) for (const oldest of [...waiting.keys()].slice(0, 1)) waiting.delete(oldest);
        waiting.set(secret, { attempt, next: ownAddress(call.query.next), endsAt: Date.now() + attemptSec * 1000 });
        return redirect(address, attemptCookie(call, secret));
      } catch (error) {
        return refuse(call, error);
      }
    },
    { need: "everybody" },
  );

  api.add(
    "GET",
    "/api/sign-in/oidc/callback",
    async (call) => {
      const secret = call.cookies[cookieName("oidc", call.place)] ?? "";
      const found = waiting.get(secret);
      waiting.delete(secret);
      try {
        if (found === undefined || found.endsAt < Date.now())
          throw new Error("nobody with this browser has begun to sign in, or it took too long");
        const callback = new URL(`${redirectUri}?${new URLSearchParams(call.query)}`);
        const claims = await provider.end(callback, found.attempt);
        const signed = await access.signIn.byProvider(claims, call.address);
        if (call.caller?.sessionHash) await access.sessions.end(call.caller.sessionHash);
        const session = sessionCookie(call, signed.secret);
        return redirect(found.next, [session, attemptCookie(call, "")]);
      } catch (error) {
        return refuse(call, error);
      }
    },
    { need: "everybody" },
  );
}

const attemptCookie = ({ place }: ApiCall, secret: string): string =>
  cookie(cookieName("oidc", place), secret, place, attemptSec);

const redirect = (location: string, cookies: string | string[]): Reply =>
  new Reply({}, { location, "set-cookie": cookies }, 302);

/** With what lies beneath: the provider's own words, or what was wrong with what it sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const beneath = cause instanceof Error ? cause.message : "";
  const code = "error" in error && typeof error.error === "string" ? error.error : "";
  return [error.message, code, beneath].filter((text) => text !== "").join(": ");
}
