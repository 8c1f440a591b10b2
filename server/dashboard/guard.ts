import type { IncomingHttpHeaders } from "node:http";
import { DashboardError } from "../contract/index.ts";
import { isAllowedHost } from "../lib/allowed-host.ts";

/** The status and the error of a request that is turned away before anything else looks at it. */
export interface Refusal {
  status: number;
  error: DashboardError;
}

const readOnly = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Before every page and API call. The dashboard can change a mesh and has no login of its own yet, so a foreign page must not reach it:
 * neither under a name that was pointed to this address (Host), nor by a cross-site write (Origin).
 */
export function refuse(
  method: string,
  headers: IncomingHttpHeaders,
  allowedHosts: readonly string[],
): Refusal | undefined {
  if (!isAllowedHost(headers.host, allowedHosts)) {
    return forbidden(421, `The host name ${JSON.stringify((headers.host ?? "").slice(0, 100))} is not served here.`);
  }
  if (!readOnly.has(method) && !isSameOrigin(headers)) {
    return forbidden(403, "Writes are only taken from the dashboard's own pages.");
  }
  return undefined;
}

/** A browser sends Origin with every write; a tool such as curl sends neither header and is no danger to a person's session. */
function isSameOrigin({ origin, host, "sec-fetch-site": site }: IncomingHttpHeaders): boolean {
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}

/** `LIMPID_ALLOWED_HOSTS`: names without ports, comma separated, that are served beside the loopback ones. */
export const parseAllowedHosts = (names: string | undefined): string[] =>
  (names ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");

const forbidden = (status: number, message: string): Refusal => ({
  status,
  error: new DashboardError({ code: "FORBIDDEN", message }),
});
