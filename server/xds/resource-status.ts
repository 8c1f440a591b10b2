import type { Refused } from "./refusals.ts";
import type { Subscription } from "./subscription.ts";
import type { Resource } from "./types.ts";

/** CSDS' ConfigStatus, from the management server's side. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/status/v3/csds.proto */
export type ResourceState = "SYNCED" | "STALE" | "NOT_SENT" | "ERROR";

export interface ResourceStatus {
  state: ResourceState;
  /** When the client accepted what it has in force; undefined: nothing yet. Unix milliseconds. */
  acceptedAt?: number;
  refused?: Refused;
}

/** How a resource as it should be compares with what the client said of it. */
export function statusOf(subscription: Subscription | undefined, resource: Resource): ResourceStatus {
  if (!subscription?.opened || !subscription.covers(resource.name)) return { state: "NOT_SENT" };
  const accepted = subscription.accepted(resource.name);
  const acceptedAt = accepted?.at;
  const refused = subscription.refused(resource.name);
  if (refused?.version === resource.version) return { state: "ERROR", acceptedAt, refused };
  if (accepted?.version === resource.version) return { state: "SYNCED", acceptedAt };
  // An older version is out: for the reader that is the same as "sent, not yet acknowledged".
  if (accepted || subscription.inFlight(resource.name)) return { state: "STALE", acceptedAt };
  return { state: "NOT_SENT" };
}
