/**
 * The Host headers by which a service is called through an HTTP proxy port, where hosts keep their port: without it only on 80.
 * Short names as the client's DNS domain resolves them. https://istio.io/latest/docs/reference/config/networking/sidecar/ (captureMode NONE)
 */
export function proxyDomains(
  hostname: string,
  addresses: readonly string[],
  port: number,
  clientDomain: string,
): string[] {
  const names = [hostname, ...shortNames(hostname, clientDomain), ...addresses];
  return names.flatMap((name) => withPort(name, port));
}

export const withPort = (name: string, port: number): string[] => {
  const host = name.includes(":") ? `[${name}]` : name;
  return port === 80 ? [host, `${host}:80`] : [`${host}:${port}`];
};

/** `reviews.default.svc.cluster.local` seen from `default.svc.cluster.local`: `reviews`, `reviews.default`, `reviews.default.svc`. */
export function shortNames(hostname: string, clientDomain: string): string[] {
  const service = /^([^.*]+)\.([^.]+)\.svc\.(.+)$/.exec(hostname);
  const client = /^([^.]+)\.svc\.(.+)$/.exec(clientDomain);
  if (!service || !client || service[3] !== client[2]) return [];
  const [, name = "", namespace = ""] = service;
  const qualified = [`${name}.${namespace}`, `${name}.${namespace}.svc`];
  return namespace === client[1] ? [name, ...qualified] : qualified;
}
