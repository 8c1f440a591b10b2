import type { Destination, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { type Told, told } from "../../../contract/index.ts";
import { suggest } from "../../../lib/suggest.ts";
import { covers, isWildcard } from "../../../model/hostname.ts";
import { countEndpoints, type Facts, viewersOf } from "./facts.ts";
import type { Finding } from "./warning.ts";

/**
 * Destinations of a VirtualService that nobody is behind, for one of those who follow it: what Istio answers with 503.
 * https://istio.io/latest/docs/ops/common-problems/network-issues/
 */
export function* deadDestinations(object: ConfigObject, facts: Facts): Generator<Finding> {
  const { metadata, spec } = object;
  const viewers = viewersOf(object, facts);
  for (const { path, destination, use } of destinationsOf(spec as unknown as VirtualServiceSpec)) {
    const host = facts.resolve(destination.host, metadata.namespace);
    const { subset } = destination;
    const blind = viewers.find((viewer) => facts.service(host, viewer) === undefined);
    if (blind !== undefined) {
      yield { path: `${path}.host`, ...unknownHost(host, blind, facts, endOfHost[use]) };
    } else if (subset) {
      const dead = viewers.map((viewer) => deadSubset(host, subset, use, viewer, facts)).find(Boolean);
      if (dead) yield { path: `${path}.subset`, ...dead };
    }
  }
}

/**
 * Why clients of a namespace have no service of this name: nobody has, others keep it to themselves, or a wildcard only stands for it. `of`: what asks, and
 * so what comes of it.
 */
export function unknownHost(
  host: string,
  viewer: string,
  facts: Facts,
  of: "route" | "connection" | "rule" | "egress",
): Told {
  const [hidden] = facts.anywhere(host);
  if (hidden) {
    const object = `${hidden.kind} ${hidden.namespace}/${hidden.name}`;
    return told(`host-unseen-${of}`, { viewer, object, host });
  }
  const wildcard = [...facts.hostnames()].find((known) => isWildcard(known) && covers(known, host));
  if (wildcard) return told(`host-covered-${of}`, { host, wildcard });
  const near = nearby(host, facts);
  return near === undefined ? told(`host-unknown-${of}`, { host }) : told(`host-unknown-near-${of}`, { host, near });
}

function deadSubset(host: string, subset: string, use: Use, viewer: string, facts: Facts): Told | undefined {
  const subsets = facts.subsets(host, viewer);
  const end = use === "answers" ? "" : (`-${use}` as const);
  if (!subsets.has(subset)) {
    const near = suggest(subset, [...subsets.keys()]);
    return near
      ? told(`subset-missing-near${end}`, { host, subset, near })
      : told(`subset-missing${end}`, { host, subset });
  }
  if (isWildcard(host) || facts.endpoints(host, viewer).length === 0) return undefined; // all subsets alike
  return countEndpoints(facts, host, subset, viewer) > 0 ? undefined : told(`subset-empty${end}`, { host, subset });
}

/** As many names as are looked through for one that was meant. */
const maxCandidates = 1_000;

/** The closest known host of the same domain. */
export function nearby(host: string, facts: Facts): string | undefined {
  const dot = host.indexOf(".");
  const domain = dot < 0 ? "" : host.slice(dot);
  const names: string[] = [];
  for (const known of facts.hostnames()) {
    if (!known.endsWith(domain) || names.length === maxCandidates) continue;
    const label = known.slice(0, known.length - domain.length);
    if (!label.includes(".")) names.push(label);
  }
  const near = suggest(host.slice(0, host.length - domain.length), names);
  return near === undefined ? undefined : `${near}${domain}`;
}

/** What comes of a call there: its answer, nothing that could be answered (a connection is closed), nothing (of several destinations those without a weight get no calls), or nothing that the caller sees. */
type Use = "answers" | "connection" | "idle" | "mirror";

/** Where it is nothing that a caller sees, no more is said than who is missing. */
const endOfHost = { answers: "route", connection: "connection", idle: "egress", mirror: "egress" } as const;

function* destinationsOf(spec: VirtualServiceSpec): Generator<{ path: string; destination: Destination; use: Use }> {
  for (const protocol of ["http", "tls", "tcp"] as const) {
    for (const [rule, { route = [] }] of (spec[protocol] ?? []).entries()) {
      for (const [index, { destination, weight = 0 }] of route.entries()) {
        const use = route.length > 1 && weight === 0 ? "idle" : protocol === "http" ? "answers" : "connection";
        yield { path: `spec.${protocol}[${rule}].route[${index}].destination`, destination, use };
      }
    }
  }
  for (const [rule, http] of (spec.http ?? []).entries()) {
    for (const [index, { destination }] of (http.mirrors ?? []).entries()) {
      yield { path: `spec.http[${rule}].mirrors[${index}].destination`, destination, use: "mirror" };
    }
    if (http.mirror) yield { path: `spec.http[${rule}].mirror`, destination: http.mirror, use: "mirror" };
  }
}
