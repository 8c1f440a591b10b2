import type { RequestView } from "../match/request-view.ts";
import type { RedirectTarget } from "./compile-route.ts";
import { withoutPort } from "./route-table.ts";

/** The Location of a redirect route. */
export function redirectLocation(
  action: RedirectTarget,
  request: Pick<RequestView, "scheme" | "authority" | "path">,
): string {
  const scheme = action.scheme === "" ? request.scheme : action.scheme;
  let host = action.host === "" ? request.authority : action.host;
  if (action.port !== 0) host = `${withoutPort(host)}:${action.port}`;
  else if (action.scheme !== "" && action.host === "") host = withoutDefaultPort(host, request.scheme);
  let path = action.rewritePath?.(request.path) ?? request.path;
  const question = path.indexOf("?");
  if (action.stripQuery && question !== -1) path = path.slice(0, question);
  return `${scheme}://${host}${path}`;
}

/** A new scheme makes the old scheme's default port wrong. */
const withoutDefaultPort = (host: string, scheme: string): string =>
  host.endsWith(scheme === "http" ? ":80" : ":443") ? withoutPort(host) : host;
