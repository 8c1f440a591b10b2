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

/** Proxies that are not in sync. */
export const outOfSyncHref = "/proxies?sync=out";

/** One resource in a proxy's config dump. */
export const proxyResourceHref = (id: string, type: string, resource: string): string =>
  `${proxyHref(id)}&resource=${encodeURIComponent(`${type}:${resource}`)}`;

export const newObjectHref = "/config/new";

/** One object of the config, with one of its YAML's lines marked; `-` stands for no namespace. */
export const objectHref = (kind: string, namespace: string, name: string, line?: number): string =>
  `/config/${[kind, namespace || "-", name].map(encodeURIComponent).join("/")}${line === undefined ? "" : `?line=${line}`}`;
