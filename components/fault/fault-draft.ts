import type {
  ChangeResult,
  EnvoyPreview,
  FaultRequest,
  FaultSource,
  ServiceMetrics,
} from "../../server/contract/index.ts";

/** The fault form's fields; a number that was emptied is null. */
export interface FaultDraft {
  delay: { on: boolean; percentage: number | null; fixedDelayMs: number | null };
  abort: { on: boolean; percentage: number | null; httpStatus: number | null };
  header: { on: boolean; name: string; exact: string };
  /** One caller only: one edge of the graph. */
  source: { on: boolean; caller: FaultSource | null };
  /** Null: until stopped. */
  durationSec: number | null;
}

export const firstDraft: FaultDraft = {
  delay: { on: true, percentage: 50, fixedDelayMs: 2000 },
  abort: { on: false, percentage: 10, httpStatus: 503 },
  header: { on: false, name: "", exact: "" },
  source: { on: false, caller: null },
  durationSec: 300,
};

/** Seconds. Null: until stopped. */
export const durations = [30, 60, 300, 900, null] as const;
export const statuses = [500, 502, 503, 504, 429, 404] as const;

/** What to send; null while a field is empty or nothing is chosen. */
export function toRequest(
  { delay, abort, header, source, durationSec }: FaultDraft,
  service: { namespace: string; name: string },
): FaultRequest | null {
  if (!delay.on && !abort.on) return null;
  if (delay.on && (delay.percentage === null || delay.fixedDelayMs === null)) return null;
  if (abort.on && (abort.percentage === null || abort.httpStatus === null)) return null;
  if (header.on && header.name.trim() === "") return null;
  if (source.on && source.caller === null) return null;
  return {
    namespace: service.namespace,
    service: service.name,
    delay: delay.on ? { percentage: delay.percentage ?? 0, fixedDelayMs: delay.fixedDelayMs ?? 0 } : null,
    abort: abort.on ? { percentage: abort.percentage ?? 0, httpStatus: abort.httpStatus ?? 0 } : null,
    header: header.on ? { name: header.name.trim(), exact: header.exact } : null,
    ...(source.on && source.caller !== null && { source: source.caller }),
    durationSec,
  };
}

export interface FaultImpact {
  perMinute: number;
  /** Largest first. */
  callers: { name: string; version: string | null; perMinute: number }[];
  /** Who calls and is not hit: by a gateway that has no rule of the service's own, or without a proxy that could inject anything. */
  spared: string[];
  /** A header limits it: this is the most it can be. */
  atMost: boolean;
}

/** Where a fault's rules are in force: for callers inside of the mesh, for those who come by a gateway. */
export interface FaultPlaces {
  mesh: boolean;
  gateways: string[];
}

/** By the VirtualServices that starting it would write. */
export function placesOf(objects: ChangeResult["objects"]): FaultPlaces {
  const through = objects.flatMap((object) => object.through ?? []);
  return { mesh: through.includes("mesh"), gateways: [...new Set(through.filter((name) => name !== "mesh"))] };
}

const everywhere: FaultPlaces = { mesh: true, gateways: ["*"] };

/** How many requests it will hit, and whose, if the traffic goes on as it did. Without places, as if its rules were in force everywhere. */
export function impactOf(draft: FaultDraft, metrics: ServiceMetrics, places: FaultPlaces = everywhere): FaultImpact {
  // A request is drawn for the delay and for the abort independently.
  const spared = (part: { on: boolean; percentage: number | null }) => 1 - (part.on ? (part.percentage ?? 0) / 100 : 0);
  const share = 1 - spared(draft.delay) * spared(draft.abort);
  const perMinute = (rate: number) => rate * 60 * share;
  const only = draft.source.on ? draft.source.caller : null;
  const meant = metrics.callers.filter((caller) => only === null || isFrom(only, caller));
  const isHit = ({ gateway, app }: Caller) => (gateway ? places.gateways.length > 0 : places.mesh && app !== "unknown");
  const hit = meant.filter(isHit);
  return {
    perMinute: perMinute(hit.reduce((sum, { signals }) => sum + signals.requestRate, 0)),
    spared: meant.filter((caller) => !isHit(caller) && caller.signals.requestRate > 0).map(({ app }) => app),
    callers: hit
      .map(({ app, version, signals }) => ({ name: app, version, perMinute: perMinute(signals.requestRate) }))
      .filter((caller) => caller.perMinute > 0)
      .toSorted((a, b) => b.perMinute - a.perMinute),
    atMost: draft.header.on,
  };
}

type Caller = ServiceMetrics["callers"][number];

const isFrom = (source: FaultSource, caller: Caller): boolean =>
  source.app === caller.app &&
  source.namespace === caller.namespace &&
  (source.version === null || source.version === caller.version);

/** `<namespace>/<app>[/<version>]`, as it stands in the address. */
export function parseSource(text: string | null): FaultSource | null {
  const [namespace, app, version, extra] = text?.split("/") ?? [];
  if (!namespace || !app || extra !== undefined) return null;
  return { namespace, app, version: version || null };
}

export const sourceText = ({ namespace, app, version }: FaultSource): string =>
  [namespace, app, ...(version === null ? [] : [version])].join("/");

/** Whom a fault can be limited to: each caller, and each of its versions where it has several. Calls without a namespace come from outside. */
export function sourceChoices(callers: ServiceMetrics["callers"]): FaultSource[] {
  const known = callers.filter(({ namespace, app }) => namespace !== "" && app !== "unknown");
  return [...Map.groupBy(known, ({ namespace, app }) => `${namespace}/${app}`).values()].flatMap((members) => {
    const [{ namespace, app } = { namespace: "", app: "" }] = members;
    const versions = members.flatMap(({ version }) => version ?? []).sort();
    const all: FaultSource = { namespace, app, version: null };
    return versions.length > 1 ? [all, ...versions.map((version) => ({ ...all, version }))] : [all];
  });
}

/** Proxies that would inject it. Others may get new config as well, when the first VirtualService of the service is made for it. */
export function faultedProxies({ resources }: EnvoyPreview): string[] {
  const isFaulty = (yaml: string) => yaml.includes("envoy.extensions.filters.http.fault.v3.HTTPFault");
  return [...new Set(resources.filter(({ after }) => isFaulty(after)).flatMap(({ proxies }) => proxies))];
}
