import { z } from "zod";
import type { Access } from "../access/access.ts";
import type { SignedIn } from "../access/sign-in.ts";
import {
  LinkSignIn,
  NewSignInLink,
  PasswordChange,
  PasswordSignIn,
  type Session,
  type SignInWays,
  wholeMesh,
} from "../contract/index.ts";
import { type ApiCall, type ApiRoutes, callerIn, Reply } from "./api-call.ts";
import { cookie, cookieName } from "./cookie.ts";
import { parse } from "./parse.ts";

export interface SignInApiOptions {
  access: Access;
  /** The console's address for people, without a slash at its end. */
  url: string;
  /** What the identity provider is called; undefined: there is none. */
  oidc?: string | undefined;
  /** What prints a link, such as `limpid console-link --port-offset 1000`. */
  command: string;
}

const SignOut = z.strictObject({ everywhere: z.boolean().default(false) });

/** Of the listener that the call came by. An empty secret takes it away. */
export const sessionCookie = ({ place }: ApiCall, secret: string): string =>
  cookie(cookieName("session", place), secret, place);

export async function signInWays({ access, oidc, command }: SignInApiOptions): Promise<SignInWays> {
  const [isNew, password] = await Promise.all([access.signIn.isNew(), access.signIn.hasPasswords()]);
  return { isNew, password, oidc: oidc ?? null, command };
}

/** The ways in and out. */
export function addSignInRoutes(api: ApiRoutes, options: SignInApiOptions): void {
  const { access, url } = options;
  const look = { role: "viewer" } as const;
  /** A new session, always: one that was there before ends, whoever had put it there. */
  const letIn = async (call: ApiCall, { secret, name }: SignedIn): Promise<Reply> => {
    if (call.caller?.sessionHash) await access.sessions.end(call.caller.sessionHash);
    return new Reply({ name }, { "set-cookie": sessionCookie(call, secret) });
  };

  api.add("GET", "/api/sign-in", () => signInWays(options), { need: "everybody" });
  api.add(
    "POST",
    "/api/sign-in/password",
    async (call) => letIn(call, await access.signIn.byPassword(parse(PasswordSignIn, call.body), call.address)),
    { need: "everybody" },
  );
  api.add(
    "POST",
    "/api/sign-in/link",
    async (call) => letIn(call, await access.signIn.byLink(parse(LinkSignIn, call.body).link, call.address)),
    { need: "everybody" },
  );
  const toMakeLinks = { role: "administrator", namespace: wholeMesh } as const;
  api.add(
    "POST",
    "/api/sign-in-links",
    async (call) => {
      const { link, name, endsAt } = await access.signIn.makeLink(parse(NewSignInLink, call.body).name);
      call.about.target = name;
      return { url: `${url}/sign-in#link=${link}`, name, endsAt };
    },
    { need: toMakeLinks, deed: "link.create" },
  );

  api.add("GET", "/api/session", async (call) => sessionOf(call), { need: look });
  api.add(
    "POST",
    "/api/sign-out",
    async (call) => {
      const { name, sessionHash } = callerIn(call);
      if (parse(SignOut, call.body ?? {}).everywhere) await access.sessions.endAll(name);
      else if (sessionHash) await access.sessions.end(sessionHash);
      return new Reply({}, { "set-cookie": sessionCookie(call, "") });
    },
    { need: look, deed: "sign-out" },
  );
  api.add(
    "PUT",
    "/api/session/password",
    async (call) => {
      await access.users.setPassword(callerIn(call), parse(PasswordChange, call.body), call.address);
      return {};
    },
    { need: look, deed: "password.change" },
  );
}

export function sessionOf(call: Pick<ApiCall, "caller">): Session {
  const { name, displayName, way, grants, hasPassword } = callerIn(call as ApiCall);
  return { name, displayName, way, grants: [...grants], hasPassword };
}
