import type { RateLimitConfigSpec, RateLimitDescriptorSpec } from "../../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { olderFirst } from "../../../model/service.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

interface Place {
  path: string;
  /** The keys and values that lead to it. */
  name: string;
  descriptor: RateLimitDescriptorSpec;
}

/** Descriptors that limit nothing, limits that let nobody through, and what an unlimited one says in vain. */
export function* doubtfulLimits({ spec }: ConfigObject): Generator<Finding> {
  for (const { path, descriptor } of places((spec as RateLimitConfigSpec).descriptors)) {
    const { rate_limit: limit, shadow_mode: shadow, descriptors = [] } = descriptor;
    if (!limit && descriptors.length === 0) yield { path, ...told("limits-nothing", {}) };
    if (!limit && shadow) yield { path: `${path}.shadow_mode`, ...told("no-effect-without", { what: "rate_limit" }) };
    if (limit?.unlimited && (limit.unit !== undefined || limit.requests_per_unit !== undefined)) {
      yield { path: `${path}.rate_limit`, ...told("unlimited", {}) };
    } else if (limit?.requests_per_unit === 0 && !shadow) {
      yield { path: `${path}.rate_limit.requests_per_unit`, ...told("refuses-all", {}) };
    }
  }
}

/** Limits that another object has for the same descriptor of the domain: the oldest counts. */
export function* rivalLimits(object: ConfigObject, facts: Facts): Generator<Finding> {
  const { domain, descriptors } = object.spec as RateLimitConfigSpec;
  const own = new Map<string, string>();
  for (const { name, path, descriptor } of places(descriptors)) if (descriptor.rate_limit) own.set(name, path);
  for (const other of facts.objects("RateLimitConfig")) {
    const theirs = other.spec as RateLimitConfigSpec;
    if (formatKey(keyOf(other)) === formatKey(keyOf(object)) || theirs.domain !== domain) continue;
    const winner = olderFirst(other, object) < 0 ? "that" : "this";
    for (const { name, descriptor } of places(theirs.descriptors)) {
      const path = descriptor.rate_limit ? own.get(name) : undefined;
      if (path === undefined) continue;
      const rival = { object: `${other.metadata.namespace}/${other.metadata.name}`, domain };
      yield { path: `${path}.rate_limit`, ...told(`limit-${winner}`, rival) };
    }
  }
}

function* places(descriptors: readonly RateLimitDescriptorSpec[], path = "spec", name = ""): Generator<Place> {
  for (const [index, descriptor] of descriptors.entries()) {
    const place = {
      path: `${path}.descriptors[${index}]`,
      name: `${name}/${JSON.stringify([descriptor.key, descriptor.value ?? ""])}`,
      descriptor,
    };
    yield place;
    yield* places(descriptor.descriptors ?? [], place.path, place.name);
  }
}
