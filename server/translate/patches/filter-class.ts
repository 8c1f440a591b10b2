import type { HttpFilter } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";

/** https://istio.io/latest/docs/reference/config/networking/envoy-filter/#EnvoyFilter-Patch-FilterClass */
export type FilterClass = "AUTHN" | "AUTHZ" | "STATS";

const authenticates = ["envoy.filters.http.jwt_authn", "istio_authn"];
const authorizes = ["envoy.filters.http.rbac", "envoy.filters.http.ext_authz"];
const counts = ["istio.stats"];
const terminal = "envoy.filters.http.router";

/** Filters that are added to one list beside those that the control plane puts there itself; those of one class stand as they come. */
export class ClassedFilters {
  readonly #added = new Map<HttpFilter, FilterClass>();

  add(list: readonly HttpFilter[], filter: HttpFilter, filterClass: FilterClass): readonly HttpFilter[] {
    const copy = { ...filter };
    this.#added.set(copy, filterClass);
    return list.toSpliced(this.#place(list, filterClass), 0, copy);
  }

  #place(list: readonly HttpFilter[], filterClass: FilterClass): number {
    if (filterClass === "STATS") {
      const at = list.findIndex(({ name }) => counts.includes(name) || name === terminal);
      return at < 0 ? list.length : at;
    }
    const before: readonly FilterClass[] = filterClass === "AUTHZ" ? ["AUTHN", "AUTHZ"] : ["AUTHN"];
    const names = filterClass === "AUTHZ" ? [...authenticates, ...authorizes] : authenticates;
    const isBefore = (it: HttpFilter) => {
      const own = this.#added.get(it);
      return own === undefined ? names.some((name) => it.name.startsWith(name)) : before.includes(own);
    };
    return list.findLastIndex(isBefore) + 1;
  }
}
