import { type NextRequest, NextResponse } from "next/server";

/**
 * Next's request hook, before every page and API call. The dashboard can change a mesh and has no login of its own yet, so a foreign
 * page must not be able to reach it: neither under a name that was rebound to this address (Host), nor by a cross-site write (Origin).
 */
export function proxy(request: NextRequest): NextResponse {
  const host = request.headers.get("host") ?? "";
  if (!isAllowedHost(host))
    return refuse(421, `The host name ${JSON.stringify(host.slice(0, 100))} is not served here.`);
  if (!["GET", "HEAD", "OPTIONS"].includes(request.method) && !isSameOrigin(request.headers, host)) {
    return refuse(403, "Writes are only taken from the dashboard's own pages.");
  }
  const nonce = btoa(crypto.randomUUID());
  const policy = contentSecurityPolicy(nonce);
  const headers = new Headers(request.headers);
  headers.set("x-nonce", nonce);
  headers.set("content-security-policy", policy); // Next reads the nonce for its own scripts from here
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("content-security-policy", policy);
  for (const [name, value] of Object.entries(fixedHeaders)) response.headers.set(name, value);
  return response;
}

export const config = { matcher: [{ source: "/((?!_next/static|_next/image|icon.svg).*)" }] };

const fixedHeaders = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

const loopback = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Loopback names with any port, and what `LIMPID_ALLOWED_HOSTS` (comma separated, without ports) adds. */
export function isAllowedHost(host: string, extra = process.env.LIMPID_ALLOWED_HOSTS ?? ""): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, "");
  if (loopback.has(name) || name.endsWith(".localhost")) return true;
  return extra
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== "" && entry === name);
}

/** A browser sends Origin with every write; a tool such as curl sends neither header and is no danger to a person's session. */
export function isSameOrigin(headers: Headers, host: string): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  const origin = headers.get("origin");
  if (origin === null) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

function contentSecurityPolicy(nonce: string): string {
  const development = process.env.NODE_ENV === "development" ? " 'unsafe-eval'" : "";
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");
}

const refuse = (status: number, message: string): NextResponse =>
  NextResponse.json({ code: "FORBIDDEN", message }, { status, headers: fixedHeaders });
