/** A name without a dot means a service of the resource's own namespace. https://istio.io/latest/docs/reference/config/networking/virtual-service/#Destination */
export function resolveHost(host: string, namespace: string, domain: string): string {
  const lower = host.toLowerCase();
  return lower.includes(".") || lower.startsWith("*") ? lower : `${lower}.${namespace}.svc.${domain}`;
}

export const isWildcard = (host: string): boolean => host.startsWith("*");

/** Does `pattern` (exact, `*`, `*.foo.com` or `*-x.foo.com`) cover every name that `host` stands for? */
export function covers(pattern: string, host: string): boolean {
  if (!isWildcard(pattern)) return pattern === host;
  const suffix = pattern.slice(1);
  const name = isWildcard(host) ? host.slice(1) : host;
  return name.endsWith(suffix) && (isWildcard(host) || name.length > suffix.length || suffix === "");
}

/** The narrower of two hosts that overlap, undefined when no name is in both. */
export function intersect(a: string, b: string): string | undefined {
  if (covers(a, b)) return b;
  if (covers(b, a)) return a;
  return undefined;
}

/** Longer wildcards are narrower; equal length by name, so that the order never depends on input order. */
export const narrowerFirst = (a: string, b: string): number => b.length - a.length || compare(a, b);

/** By code unit: never by locale, because output must be the same on every machine. */
export const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
