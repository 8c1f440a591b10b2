/** Every address of the dashboard in one place, so that a page that moves is found by its links. */
export const topologyHref = "/topology";
export const servicesHref = "/services";
export const faultsHref = "/faults";
export const proxiesHref = "/proxies";
export const configHref = "/config";

export const serviceHref = (
  namespace: string,
  name: string,
  tab?: "traffic" | "metrics" | "endpoints" | "config",
): string => `/services/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}${tab ? `?tab=${tab}` : ""}`;

/** The fault form, filled in for one service; `from`, `<namespace>/<app>[/<version>]`, limits it to one caller. */
export const injectFaultHref = (namespace: string, name: string, from?: string): string =>
  `/faults?new=${encodeURIComponent(`${namespace}/${name}`)}${from ? `&from=${encodeURIComponent(from)}` : ""}`;

export const proxyHref = (id: string): string => `/proxies?proxy=${encodeURIComponent(id)}`;

/** One object of the config; `-` stands for no namespace. */
export const objectHref = (kind: string, namespace: string, name: string): string =>
  `/config/${[kind, namespace || "-", name].map(encodeURIComponent).join("/")}`;
