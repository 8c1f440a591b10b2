import type { IncomingHttpHeaders } from "node:http";
import { DashboardError, told } from "../contract/index.ts";
import { isAllowedHost } from "../lib/allowed-host.ts";

/** The status and the error of a request that is turned away before anything else looks at it. */
export interface Refusal {
  status: number;
  error: DashboardError;
}

const readOnly = new Set(["GET", "HEAD", "OPTIONS"]);

/**
 * Before every page and API call: no foreign page reaches the dashboard, neither under a name that was pointed to this address (Host), nor by a
 * cross-site write (Origin).
 */
export function refuse(
  method: string,
  headers: IncomingHttpHeaders,
  allowedHosts: readonly string[],
  { overTls = false } = {},
): Refusal | undefined {
  if (!isAllowedHost(headers.host, allowedHosts)) {
    return forbidden(421, `The host name ${JSON.stringify((headers.host ?? "").slice(0, 100))} is not served here.`);
  }
  if (isWrite(method) && !isSameOrigin(headers, overTls)) {
    return forbidden(403, told("foreign-write", {}).message);
  }
  return undefined;
}

/**
 * Whether a write that comes with a cookie says itself that it is of the dashboard's own page. Browsers do, in one header or the other; what says nothing is
 * no browser of today, and whoever is no browser has a token.
 */
export const tellsItsOrigin = ({ origin, "sec-fetch-site": site }: IncomingHttpHeaders): boolean =>
  origin !== undefined || site === "same-origin";

export const isWrite = (method: string): boolean => !readOnly.has(method);

/**
 * A browser sends Origin with every write; a tool such as curl sends neither header and is no danger to a person's session. In plain text the page may have come
 * by TLS all the same, which ended before this machine.
 */
function isSameOrigin({ origin, host, "sec-fetch-site": site }: IncomingHttpHeaders, overTls: boolean): boolean {
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  if (origin === undefined) return true;
  const page = URL.parse(origin);
  return page?.host === host && (!overTls || page?.protocol === "https:");
}

const forbidden = (status: number, message: string): Refusal => ({
  status,
  error: new DashboardError({ code: "FORBIDDEN", message }),
});
