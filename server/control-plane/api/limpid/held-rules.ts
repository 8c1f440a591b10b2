import type { ConfigObject } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { ShareChange } from "../../../contract/index.ts";
import { meshGateway } from "../../../model/virtual-service.ts";
import { isPublic } from "../../../model/visibility.ts";
import type { Facts } from "../warnings/facts.ts";
import { followedBy, isSame, namedBy } from "../warnings/rivals.ts";
import { inForce } from "./in-force.ts";
import { type Rule, rulesOf } from "./rule-shares.ts";

/** Rules that requests meet, and of which namespace they are: hosts mean there what they mean. */
export interface Held {
  rules: readonly Rule[];
  namespace: string;
}

/** The one host inside of the mesh that a VirtualService is of, and nothing else; undefined for any other. */
export function loneMeshHost({ spec }: ConfigObject): string | undefined {
  const { hosts = [], gateways = [] } = spec as { hosts?: string[]; gateways?: string[] };
  return hosts.length === 1 && gateways.every((name) => name === meshGateway) ? hosts[0] : undefined;
}

/**
 * Namespaces whose clients a VirtualService of a host may move: those that see it, and those where another of that host goes before it or comes
 * after it. Of a host in the mesh everybody else does as those of the namespace that it is in.
 */
export function clientsOf({ key, before, after }: ConfigChange, hostname: string, all: readonly Facts[]): string[] {
  const exports = [before, after].flatMap((object) => {
    if (object === undefined) return [];
    const { exportTo = [] } = object.spec as { exportTo?: string[] };
    const named = exportTo.map((to) => (to === "." ? key.namespace : to)).filter((to) => to !== "*");
    return isPublic(exportTo) ? [key.namespace, ...named, ...homesOf(hostname, all)] : named;
  });
  return [...new Set(exports)];
}

/** Where the host's service is, and where others rule it. */
const homesOf = (hostname: string, all: readonly Facts[]): string[] =>
  all.flatMap((facts) => [
    ...facts.anywhere(hostname).map(({ namespace }) => namespace),
    ...namedBy(hostname, facts.mesh.virtualServices).map(({ namespace }) => namespace),
  ]);

/** Whose rules the clients of a namespace follow for a host; `own` stands for the object that changes, as it was or will be. */
export function heldBy(
  viewer: string,
  hostname: string,
  { own, facts }: { own: ConfigObject | undefined; facts: Facts },
): ConfigObject | undefined {
  const followed = followedBy(viewer, hostname, facts);
  return followed && (own && isSame(followed.source, own) ? own : inForce(followed));
}

/** Of two sides, the rules of a list that requests meet there: without an object the service gets its own requests. */
export function rulesOn(
  list: ShareChange["list"],
  { side, other }: { side: ConfigObject | undefined; other: ConfigObject | undefined },
  { viewer, hostname, facts }: { viewer: string; hostname: string; facts: Facts },
): Held {
  if (side) return { rules: rulesOf(side, list), namespace: side.metadata.namespace };
  const isRuled = other !== undefined && rulesOf(other, list).length > 0;
  if (!isRuled || facts.covered(hostname, viewer).length === 0) return { rules: [], namespace: viewer };
  return { rules: [{ route: [{ destination: { host: hostname } }] }], namespace: viewer };
}
