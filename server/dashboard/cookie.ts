import { sessionMaxMs } from "../access/sessions.ts";

/** Cookies know no ports: each mesh of a machine needs a name of its own. Over TLS no other host of the domain can set it (`__Host-`). */
export const cookieName = (kind: "session" | "oidc", { port, secure }: CookiePlace): string =>
  secure ? `__Host-limpid-${kind}` : `limpid-${kind}-${port}`;

export interface CookiePlace {
  port: number;
  /** Served over TLS. */
  secure: boolean;
}

/** The first of each name, which is the one of the longest path. RFC 6265 §5.4 */
export function readCookies(header: string | undefined): Readonly<Record<string, string>> {
  const found: Record<string, string> = Object.create(null);
  for (const pair of (header ?? "").split(";")) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, at).trim();
    if (at > 0 && found[name] === undefined) found[name] = pair.slice(at + 1).trim();
  }
  return found;
}

/**
 * Out of the reach of scripts, and sent along from other sites only when somebody follows a link, so that a link to the console in a chat works; writes
 * are held to the page's own origin besides. An empty value takes it away.
 */
export function cookie(name: string, value: string, { secure }: CookiePlace, maxAgeSec = sessionMaxMs / 1000): string {
  const age = value === "" ? 0 : maxAgeSec;
  return [
    `${name}=${value}`,
    "Path=/",
    "HttpOnly",
    "SameSite=Lax",
    `Max-Age=${age}`,
    ...(secure ? ["Secure"] : []),
  ].join("; ");
}
