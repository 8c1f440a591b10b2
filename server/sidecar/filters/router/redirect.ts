import type { Exchange } from "../../request/exchange.ts";
import type { RedirectTarget } from "../../route/compile-route.ts";
import { withoutPort } from "../../route/route-table.ts";

/** The Location of a redirect route. */
export function redirectLocation(action: RedirectTarget, exchange: Exchange): string {
  const scheme = action.scheme === "" ? exchange.scheme : action.scheme;
  let host = action.host === "" ? exchange.authority : action.host;
  if (action.port !== 0) host = `${withoutPort(host)}:${action.port}`;
  else if (action.scheme !== "" && action.host === "") host = withoutDefaultPort(host, exchange.scheme);
  let path = action.rewritePath?.(exchange.path) ?? exchange.path;
  const question = path.indexOf("?");
  if (action.stripQuery && question !== -1) path = path.slice(0, question);
  return `${scheme}://${host}${path}`;
}

/** A new scheme makes the old scheme's default port wrong. */
const withoutDefaultPort = (host: string, scheme: string): string =>
  host.endsWith(scheme === "http" ? ":80" : ":443") ? withoutPort(host) : host;
