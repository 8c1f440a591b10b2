import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/**
 * Whether a `Host` header names this machine, or one of `allowed` (names without port, lower case). Anything else on a loopback listener
 * means DNS rebinding: a web page whose own name was pointed here. https://en.wikipedia.org/wiki/DNS_rebinding
 */
export function isAllowedHost(header: string | undefined, allowed: readonly string[]): boolean {
  const name = hostName(header ?? "");
  if (name === undefined) return false;
  if (name === "localhost" || name.endsWith(".localhost")) return true; // RFC 6761 §6.3: always loopback
  if (isIP(name) !== 0) return ipaddr.process(name).range() === "loopback" || allowed.includes(name);
  return allowed.includes(name);
}

/**
 * Whether a call to a loopback listener may come from a web page: by the page's own name pointed here (Host), or across sites (Origin, which
 * programs don't send). A missing Host is HTTP/1.0 and no browser.
 */
export const isFromWebPage = ({ host, origin }: { host?: string | undefined; origin?: string | undefined }): boolean =>
  origin !== undefined || !isAllowedHost(host ?? "localhost", []);

/** The host of `host[:port]` in lower case, brackets of IPv6 removed; undefined when it is none. */
function hostName(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/@\s]+))(?::\d{1,5})?$/i.exec(header);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, "");
}

/** `LIMPID_ALLOWED_HOSTS`: names without ports, comma separated, that are served beside the loopback ones. */
export const parseAllowedHosts = (names: string | undefined): string[] =>
  (names ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "");
