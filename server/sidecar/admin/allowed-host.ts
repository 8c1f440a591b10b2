import { isAllowedHost } from "../../lib/allowed-host.ts";

/**
 * Whether a Host or Origin header names this machine. A page on the web can point its own name at 127.0.0.1 (DNS rebinding) or post a form to
 * it; what it can't do is make a browser send a loopback name. `bound` is the address that the admin listens on.
 */
export function isOwnHost(header: string | undefined, bound: string): boolean {
  if (header === undefined) return true; // HTTP/1.0 and gRPC probes; browsers always send one
  return isAllowedHost(header.replace(/^https?:\/\//i, ""), [bound.toLowerCase()]);
}
