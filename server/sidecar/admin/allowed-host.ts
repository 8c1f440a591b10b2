import { isIP } from "node:net";

/**
 * Whether a Host or Origin header names this machine. A page on the web can point its own name at 127.0.0.1 (DNS rebinding) or post a form to
 * it; what it can't do is make a browser send a loopback name. `bound` is the address that the admin listens on.
 */
export function isOwnHost(header: string | undefined, bound: string): boolean {
  if (header === undefined) return true; // HTTP/1.0 and gRPC probes; browsers always send one
  const host = header
    .replace(/^https?:\/\//i, "")
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
  if (host === "localhost" || host === bound.toLowerCase()) return true;
  return (isIP(host) === 4 && host.startsWith("127.")) || host === "::1";
}
