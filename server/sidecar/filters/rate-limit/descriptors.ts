import type { FilterIo, RequestContext } from "../../request/filter.ts";
import type { Descriptor, RateLimitRule } from "../../route/rate-limits.ts";

/** What becomes of the virtual host's limits beside the route's. */
export type HostLimits = "override" | "include" | "ignore";

/** envoy.extensions.common.ratelimit.v3.VhRateLimitsOptions. */
export const hostLimits: readonly HostLimits[] = ["override", "include", "ignore"];

interface Asked {
  readonly stage: number;
  readonly host: HostLimits;
  /** In place of those of routes and virtual hosts, where there are any. */
  readonly own: readonly RateLimitRule[];
  /** Whether a limit with such a key is in force. */
  readonly isOn: (disableKey: string) => boolean;
}

/** What a request is to those who limit it. */
export function descriptorsOf(request: RequestContext, io: FilterIo, { stage, host, own, isOn }: Asked): Descriptor[] {
  const rules = own.length > 0 ? own : rulesOf(request, host).filter((rule) => rule.stage === stage);
  return rules
    .filter(({ disableKey }) => disableKey === "" || isOn(disableKey))
    .map((rule) => rule.describe(request, io.local.cluster))
    .filter((descriptor) => descriptor !== undefined);
}

function rulesOf({ rateLimits }: RequestContext, option: HostLimits): readonly RateLimitRule[] {
  if (rateLimits === undefined) return [];
  const { route, host, includeHost } = rateLimits;
  if (includeHost || option === "include") return [...route, ...host];
  return option === "override" && route.length === 0 ? host : route;
}
