import type { ConfigObject } from "../config/object.ts";
import {
  DashboardError,
  type ExplainedSide,
  type ExplainQuery,
  type Explanation,
  type ProxyList,
  type Told,
  told,
  type WorkloadViews,
  withoutFilledIn,
} from "../contract/index.ts";
import { type ExplainedProxy, explain, type HeldByProxy } from "../explain/explain.ts";
import { holdingsOf } from "../explain/holdings.ts";
import { originsIn, withLines } from "../explain/lines.ts";
import { parseExplainRequest } from "../explain/request.ts";
import { lineOfField } from "../explain/yaml-line.ts";
import type { LiveHosts } from "../query/live-hosts.ts";
import type { HeldResources } from "../xds/csds-client.ts";

interface Key {
  kind: string;
  namespace: string;
  name: string;
}

export interface ExplainSource {
  proxies(): Promise<Pick<ProxyList, "proxies">>;
  /** Undefined: it is not connected. */
  held(id: string): Promise<HeldResources | undefined>;
  peerAuthentications(): Promise<readonly ConfigObject[]>;
  /** Those of the objects that there are. */
  documents(keys: readonly Key[]): Promise<readonly (Key & { yaml: string })[]>;
  /** What each proxy says of its clusters' hosts right now. Left out: nobody knows. */
  liveHosts?(): Promise<LiveHosts>;
  /** The registry's, which knows who registered itself. Left out: nobody knows. */
  workloads?(): Promise<Pick<WorkloadViews, "workloads">>;
  now(): number;
}

type Asked = Omit<ExplainQuery, "token"> & Partial<Pick<ExplainQuery, "token">>;

/** Says what happens to a request, by what the proxies have in force now. Rejects with INVALID, or NOT_FOUND where nobody is called so. */
export function createExplain({
  proxies,
  held,
  peerAuthentications,
  documents,
  liveHosts = async () => noHosts,
  workloads = async () => ({ workloads: [] }),
  now,
}: ExplainSource) {
  const heldBy = async (id: string): Promise<HeldByProxy | undefined> => {
    const found = await held(id);
    return found && { holdings: holdingsOf(found.resources), labels: found.labels };
  };
  return async (query: Asked): Promise<Explanation> => {
    const request = parseExplainRequest({ ...query, nowMs: now() });
    const [list, policies] = await Promise.all([proxies(), peerAuthentications()]);
    const fleet = list.proxies.filter(({ connected }) => connected).map(explainedProxy);
    const proxy = findCaller(fleet, query.from);
    const own = await heldBy(proxy.id);
    if (!own) throw wrongCaller("NOT_FOUND", told("caller-gone", { name: proxy.name }));
    const answer = await explain({ proxy, held: own }, request, {
      proxies: fleet,
      held: heldBy,
      peerAuthentications: policies,
    });
    const hosts = await liveHosts().catch(() => noHosts);
    const groups = groupsOf((await workloads().catch(() => ({ workloads: [] }))).workloads);
    const found = await documents(originsIn(answer));
    const yamls = new Map(found.map((document) => [keyOf(document), withoutFilledIn(document.yaml)]));
    const lined = withLines(answer, (origin) => {
      const yaml = yamls.get(keyOf(origin));
      return yaml === undefined ? null : lineOfField(yaml, origin.rule);
    });
    const headers = query.headers.split(/\r?\n/).filter((line) => line.trim() !== "");
    const asked = { method: request.method, url: query.url, headers };
    return withFacts({ at: now(), request: asked, ...lined }, hosts, groups);
  };
}

const noHosts: LiveHosts = new Map();

/** The WorkloadGroup of each that registered itself, by `<namespace>/<workload>`. */
const groupsOf = (workloads: WorkloadViews["workloads"]): ReadonlyMap<string, string> =>
  new Map(workloads.flatMap(({ namespace, name, group }) => (group ? [[`${namespace}/${name}`, group] as const] : [])));

/** What the proxies' config does not say: how its clusters' hosts fare right now, and which of them registered themselves. */
function withFacts(answer: Explanation, hosts: LiveHosts, groups: ReadonlyMap<string, string>): Explanation {
  const clusters = (id: string, list: ExplainedSide["clusters"]) =>
    list.map((cluster) => {
      const live = hosts.get(`${id} ${cluster.name}`);
      const endpoints = cluster.endpoints.map((endpoint) => {
        const group = groups.get(endpoint.workload);
        return group ? { ...endpoint, group } : endpoint;
      });
      return { ...cluster, endpoints, ...(live && { live }) };
    });
  const side = (one: ExplainedSide): ExplainedSide => ({
    ...one,
    clusters: clusters(one.proxy.id, one.clusters),
    mirrors: clusters(one.proxy.id, one.mirrors),
  });
  return {
    ...answer,
    source: side(answer.source),
    destinations: answer.destinations.map((one) => ({ ...one, side: side(one.side) })),
  };
}

const keyOf = ({ kind, namespace, name }: Key): string => `${kind} ${namespace}/${name}`;

const explainedProxy = (proxy: ProxyList["proxies"][number]): ExplainedProxy => {
  const { id, name, namespace, app, version, kind, implementation, address, identity } = proxy;
  return { id, name, namespace, app, version, kind, implementation, address, identity: identity ?? "" };
};

/** By node id, by workload, else by app, of which the first version stands for all. */
function findCaller(fleet: readonly ExplainedProxy[], from: string): ExplainedProxy {
  const byId = fleet.find(({ id }) => id === from);
  if (byId) return byId;
  const called = (name: string, namespace: string) =>
    [name, `${namespace}/${name}`, `${name}.${namespace}`].includes(from);
  const named = fleet.filter(({ name, namespace }) => called(name, namespace));
  const found = named.length > 0 ? named : fleet.filter(({ app, namespace }) => called(app, namespace));
  const [first] = found;
  if (!first) {
    const known = fleet.map(({ name, namespace }) => `${namespace}/${name}`).slice(0, 20);
    throw wrongCaller("NOT_FOUND", told("caller-unknown", { from, known: known.join(", ") || "none" }));
  }
  const namespaces = new Set(found.map(({ namespace }) => namespace));
  if (namespaces.size > 1) {
    const known = [...namespaces].map((namespace) => `${namespace}/${from}`).join(", ");
    throw wrongCaller("INVALID", told("caller-several", { from, known }));
  }
  return first;
}

const wrongCaller = (code: "NOT_FOUND" | "INVALID", said: Told): DashboardError =>
  new DashboardError({ code, ...said, message: `from: ${said.message}`, errors: [{ path: "from", ...said }] });
