import { create } from "@bufbuild/protobuf";
import { anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TransportSocket } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { TransportSocketSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type Filter,
  type FilterChain,
  FilterChainSchema,
  type ListenerFilter,
} from "../../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { type Listener, ListenerSchema } from "../../gen/proto/envoy/config/listener/v3/listener_pb.js";
import {
  type HttpConnectionManager,
  HttpConnectionManagerSchema,
  type HttpFilter,
} from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { editList, mapList } from "./edit-list.ts";
import { ClassedFilters } from "./filter-class.ts";
import { merged, mergedAny } from "./merge.ts";
import { isIn, type Patch, type PatchContext, type PatchSet } from "./patch-set.ts";
import { patchRouteConfiguration } from "./route-patches.ts";

/** One listener with all that is patched in it, routes that it carries itself included; undefined: it is removed. */
export function patchListener(listener: Listener, set: PatchSet, context: PatchContext): Listener | undefined {
  const concerns = <T>(patches: readonly Patch<T>[]) => patches.filter((patch) => isIn(patch, context));
  let result = listener;
  for (const { operation, match, value } of concerns(set.listeners)) {
    if (!isListener(listener, match.listener, true)) continue;
    if (operation === "REMOVE") return undefined;
    if (operation === "MERGE" && value) result = merged(ListenerSchema, result, value);
  }
  const here = <T>(patches: readonly Patch<T>[]) =>
    concerns(patches).filter(({ match }) => isListener(listener, match.listener, false));
  const listenerFilters = here(set.listenerFilters).reduce<readonly ListenerFilter[]>(
    (list, patch) =>
      editList(list, patch, patch.match.listener?.listenerFilter !== undefined, ({ name }) =>
        isNamed(name, patch.match.listener?.listenerFilter),
      ),
    result.listenerFilters,
  );
  const chains = new ChainPatches(
    {
      filterChains: here(set.filterChains),
      networkFilters: here(set.networkFilters),
      httpFilters: here(set.httpFilters),
    },
    set,
    context,
    isVirtual(listener),
  );
  const added = here(set.filterChains).flatMap(({ operation, value }) => (operation === "ADD" && value ? [value] : []));
  const kept = mapList(result.filterChains, (chain) => chains.patch(chain));
  const filterChains = added.length > 0 ? [...kept, ...added] : kept;
  const defaultFilterChain = result.defaultFilterChain && chains.patch(result.defaultFilterChain);
  if (
    listenerFilters === result.listenerFilters &&
    filterChains === result.filterChains &&
    defaultFilterChain === result.defaultFilterChain
  )
    return result;
  const next = create(ListenerSchema, result);
  return {
    ...next,
    listenerFilters: [...listenerFilters],
    filterChains: [...filterChains],
    ...(defaultFilterChain ? { defaultFilterChain } : {}),
  };
}

type ListenerMatch = Patch<unknown>["match"]["listener"];

/** Where iptables send everything, and where the port is a chain's. */
const isVirtual = ({ name }: Listener): boolean => name === "virtualInbound" || name === "virtualOutbound";

function isListener(listener: Listener, wanted: ListenerMatch, whole: boolean): boolean {
  if (wanted === undefined) return true;
  if (!isNamed(listener.name, wanted.name)) return false;
  if (wanted.portNumber === undefined || (!whole && isVirtual(listener))) return true;
  return wanted.portNumber === portOf(listener);
}

/** The port that the mesh knows: names of ours end in it, also where a listener is bound elsewhere by an offset. */
function portOf({ name, address }: Listener): number | undefined {
  const named = /_(\d+)$/.exec(name)?.[1];
  if (named !== undefined) return Number(named);
  const socket = address?.address.case === "socketAddress" ? address.address.value.portSpecifier : undefined;
  return socket?.case === "portValue" ? socket.value : undefined;
}

const isNamed = (name: string, wanted: string | undefined): boolean => wanted === undefined || name === wanted;

/** What is patched in the filter chains of one listener. */
class ChainPatches {
  readonly #patches: Pick<PatchSet, "filterChains" | "networkFilters" | "httpFilters">;
  readonly #set: PatchSet;
  readonly #context: PatchContext;
  readonly #isVirtual: boolean;

  constructor(
    patches: Pick<PatchSet, "filterChains" | "networkFilters" | "httpFilters">,
    set: PatchSet,
    context: PatchContext,
    isVirtualListener: boolean,
  ) {
    this.#patches = patches;
    this.#set = set;
    this.#context = context;
    this.#isVirtual = isVirtualListener;
  }

  patch(chain: FilterChain): FilterChain | undefined {
    let result = chain;
    for (const { operation, value } of this.#of(this.#patches.filterChains, chain)) {
      if (operation === "REMOVE") return undefined;
      if (operation === "MERGE" && value) result = mergeChain(result, value);
    }
    const edited = this.#of(this.#patches.networkFilters, chain).reduce<readonly Filter[]>(
      (list, patch) =>
        editList(list, patch, filterOf(patch) !== undefined, ({ name }) => isNamed(name, filterOf(patch)?.name)),
      result.filters,
    );
    const filters = mapList(edited, (filter) => this.#filter(chain, filter));
    return filters === result.filters ? result : { ...create(FilterChainSchema, result), filters: [...filters] };
  }

  #filter(chain: FilterChain, filter: Filter): Filter {
    const result = this.#of(this.#patches.networkFilters, chain)
      .filter((patch) => patch.operation === "MERGE" && isNamed(filter.name, filterOf(patch)?.name))
      .reduce<Filter>((before, { value }) => (value ? mergeFilter(before, value) : before), filter);
    if (result.configType.case !== "typedConfig") return result;
    const manager = anyUnpack(result.configType.value, HttpConnectionManagerSchema);
    if (manager === undefined) return result;
    const next = this.#manager(chain, result, manager);
    if (next === manager) return result;
    return { ...result, configType: { case: "typedConfig", value: anyPack(HttpConnectionManagerSchema, next) } };
  }

  #manager(chain: FilterChain, filter: Filter, manager: HttpConnectionManager): HttpConnectionManager {
    const patches = this.#of(this.#patches.httpFilters, chain).filter((patch) =>
      isNamed(filter.name, filterOf(patch)?.name),
    );
    const subFilter = (patch: Patch<unknown>) => filterOf(patch)?.subFilter;
    const classed = new ClassedFilters();
    const edited = patches.reduce<readonly HttpFilter[]>(
      (list, patch) =>
        patch.filterClass && patch.value
          ? classed.add(list, patch.value, patch.filterClass)
          : editList(list, patch, subFilter(patch) !== undefined, ({ name }) => isNamed(name, subFilter(patch)?.name)),
      manager.httpFilters,
    );
    const httpFilters = mapList(edited, (item) =>
      patches
        .filter((patch) => patch.operation === "MERGE" && isNamed(item.name, subFilter(patch)?.name))
        .reduce<HttpFilter>((before, { value }) => (value ? mergeFilter(before, value) : before), item),
    );
    const { routeSpecifier } = manager;
    const inline = routeSpecifier.case === "routeConfig" ? routeSpecifier.value : undefined;
    const routes = inline && patchRouteConfiguration(inline, this.#set, this.#context);
    if (httpFilters === manager.httpFilters && routes === inline) return manager;
    return {
      ...manager,
      httpFilters: [...httpFilters],
      ...(routes && { routeSpecifier: { case: "routeConfig", value: routes } }),
    };
  }

  #of<T>(patches: readonly Patch<T>[], chain: FilterChain): readonly Patch<T>[] {
    return patches.filter(({ match: { listener } }) => isChain(chain, listener, this.#isVirtual));
  }
}

const filterOf = ({ match }: Patch<unknown>) => match.listener?.filterChain?.filter;

function isChain({ name, filterChainMatch: own }: FilterChain, wanted: ListenerMatch, isVirtual: boolean): boolean {
  const port = own?.destinationPort?.valueOf();
  if (isVirtual && wanted?.portNumber !== undefined && port !== wanted.portNumber) return false;
  const chain = wanted?.filterChain;
  if (chain === undefined) return true;
  const { sni, transportProtocol, applicationProtocols, destinationPort } = chain;
  return (
    isNamed(name, chain.name) &&
    (sni === undefined || own?.serverNames.includes(sni) === true) &&
    (transportProtocol === undefined || own?.transportProtocol === transportProtocol) &&
    (applicationProtocols === undefined ||
      applicationProtocols.split(",").every((it) => own?.applicationProtocols.includes(it.trim()))) &&
    (destinationPort === undefined || port === destinationPort)
  );
}

/** A transport socket of the same name is changed in its settings, and not replaced. */
function mergeChain(chain: FilterChain, value: FilterChain): FilterChain {
  const socket = mergedSocket(chain.transportSocket, value.transportSocket);
  const result = merged(FilterChainSchema, chain, value);
  return socket ? { ...result, transportSocket: socket } : result;
}

/** Those of one name: undefined where they are not. */
export function mergedSocket(
  target: TransportSocket | undefined,
  source: TransportSocket | undefined,
): TransportSocket | undefined {
  if (target === undefined || source === undefined || target.name !== source.name) return undefined;
  const [before, after] = [target.configType, source.configType];
  if (before.case !== "typedConfig" || after.case !== "typedConfig") return undefined;
  const value = mergedAny(before.value, after.value);
  return value && create(TransportSocketSchema, { name: target.name, configType: { case: "typedConfig", value } });
}

/** Network and HTTP filters alike: the name, if it has one, and the settings of the same type. */
function mergeFilter<T extends Filter | HttpFilter>(filter: T, { name, configType: after }: T): T {
  const before = filter.configType;
  const renamed = name === "" ? filter : { ...filter, name };
  if (before.case !== "typedConfig" || after.case !== "typedConfig") return renamed;
  const value = mergedAny(before.value, after.value);
  return value === undefined ? renamed : { ...renamed, configType: { case: "typedConfig", value } };
}
