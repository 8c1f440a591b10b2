import { Grant } from "../contract/index.ts";

export interface OidcSettings {
  /** Where `/.well-known/openid-configuration` is. HTTPS, but for a provider on this machine. */
  issuer: string;
  clientId: string;
  /** Unset: a public client, held by PKCE alone. */
  clientSecret?: string | undefined;
  /** What the button calls it. */
  name: string;
  scope: string;
  /** The claim that lists somebody's groups. */
  groupsClaim: string;
  roles: readonly RoleOfGroup[];
}

/** `*` is everybody whom the provider lets in. */
export interface RoleOfGroup {
  group: string;
  grant: Grant;
}

export const isLoopback = ({ hostname }: URL): boolean => ["127.0.0.1", "localhost", "[::1]"].includes(hostname);

type Env = Readonly<Record<string, string | undefined>>;

/**
 * From LIMPID_OIDC_…; undefined where no issuer is set. `readFile` reads the secret's file. Throws an Error that names every variable that is wrong.
 */
export function oidcFromEnv(env: Env, readFile: (path: string) => string): OidcSettings | undefined {
  const issuer = env.LIMPID_OIDC_ISSUER;
  if (!issuer) return undefined;
  const wrong: string[] = [];
  const url = URL.parse(issuer);
  if (url === null || (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url))))
    wrong.push(`LIMPID_OIDC_ISSUER must be an https address, not ${JSON.stringify(issuer)}`);
  const clientId = env.LIMPID_OIDC_CLIENT_ID ?? "";
  if (clientId === "") wrong.push("LIMPID_OIDC_CLIENT_ID must be set beside LIMPID_OIDC_ISSUER");
  const roles = parseRoles(env.LIMPID_OIDC_ROLES ?? "", wrong);
  const secretFile = env.LIMPID_OIDC_CLIENT_SECRET_FILE;
  const clientSecret = secretFile ? readFile(secretFile).trim() : env.LIMPID_OIDC_CLIENT_SECRET || undefined;
  if (wrong.length > 0) throw new Error(wrong.join("; "));
  return {
    issuer,
    clientId,
    clientSecret,
    name: env.LIMPID_OIDC_NAME || (url?.host ?? ""),
    scope: env.LIMPID_OIDC_SCOPE || "openid profile email",
    groupsClaim: env.LIMPID_OIDC_GROUPS_CLAIM || "groups",
    roles,
  };
}

/** `mesh-admins=administrator,payments=operator@payments,*=viewer`. */
function parseRoles(text: string, wrong: string[]): RoleOfGroup[] {
  const roles = text
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "")
    .flatMap((one): RoleOfGroup[] => {
      const at = one.lastIndexOf("=");
      const [role, namespace = "*"] = one.slice(at + 1).split("@");
      const grant = Grant.safeParse({ role, namespace });
      if (at > 0 && grant.success) return [{ group: one.slice(0, at), grant: grant.data }];
      wrong.push(
        `LIMPID_OIDC_ROLES: ${JSON.stringify(one)} must be <group>=<viewer|operator|administrator>[@<namespace>]`,
      );
      return [];
    });
  if (roles.length === 0 && wrong.length === 0)
    wrong.push("LIMPID_OIDC_ROLES must say what groups may do, such as mesh-admins=administrator,*=viewer");
  return roles;
}
