import { isIP } from "node:net";
import type { MeshProxy } from "../../model/proxy.ts";
import { RequestError } from "../../xds/request-error.ts";

/** What a node says of the group that it is of. */
export interface RegistrationRequest {
  proxy: MeshProxy;
  namespace: string;
  group: string;
  /** The first that it has. */
  address: string;
  network: string;
  probed: boolean;
}

/**
 * The registration that a node asks for by `AUTO_REGISTER_GROUP`, which Istio's agent makes of `ISTIO_META_AUTO_REGISTER_GROUP`; undefined: it asks for none.
 * Throws `RequestError` for one that can't be.
 */
export function registrationRequest(
  proxy: MeshProxy,
  metadata: Readonly<Record<string, unknown>>,
): RegistrationRequest | undefined {
  const { AUTO_REGISTER_GROUP: group = "", NETWORK: network = "", INSTANCE_IPS: addresses = "" } = proxy.facts;
  if (group === "") return undefined;
  const [first = ""] = addresses.split(",");
  const address = isIP(first) === 0 ? proxy.ip : first;
  if (isIP(address) === 0)
    throw new RequestError(`the node says no address (metadata INSTANCE_IPS): ${group} can't have a workload of it`);
  return { proxy, namespace: proxy.namespace, group, address, network, probed: hasProbe(metadata.PROXY_CONFIG) };
}

/** Istio's agent sends what it was configured with, as an object or as its text. */
function hasProbe(config: unknown): boolean {
  const read = typeof config === "string" ? parsed(config) : config;
  const { readinessProbe } = (read ?? {}) as { readinessProbe?: unknown };
  return typeof readinessProbe === "object" && readinessProbe !== null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
