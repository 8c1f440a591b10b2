/** A service as an object of `namespace` writes it: short where that means the same. `name` is its resource's. */
export const hostIn = (namespace: string, service: { namespace: string; name: string }, hostname: string): string =>
  namespace === service.namespace && hostname.startsWith(`${service.name}.${service.namespace}.svc.`)
    ? service.name
    : hostname;
