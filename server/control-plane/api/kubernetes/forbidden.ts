import type { Caller } from "../../../access/caller.ts";
import { StatusError } from "../status-error.ts";

const verbs: Record<string, string> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

/**
 * A refusal as kube-apiserver says it, which is what people and tools look for in kubectl's answer:
 * `services "web" is forbidden: User "ann" cannot delete resource "services" in API group "" in the namespace "shop": …`. Other failures, and those of
 * Limpid's own API, stay as they are.
 */
export function inKubernetesForm(
  error: StatusError,
  method = "GET",
  { path, caller }: { path: string; caller: Caller | undefined },
): StatusError {
  const verb = verbs[method];
  if (error.code !== 403 || error.told.reason === undefined || caller === undefined || verb === undefined) return error;
  const match = /^\/(?:api|apis\/([^/]+))\/[^/]+(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?/.exec(path);
  if (match === null) return error;
  const [, group = "", namespace, kind = "", name] = match;
  const resource = group === "" ? kind : `${kind}.${group}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const done = verb === "delete" && name === undefined ? "deletecollection" : verb;
  const message = `${resource}${name === undefined ? "" : ` "${name}"`} is forbidden: User "${caller.name}" cannot ${done} resource "${kind}" in API group "${group}" ${where}: ${error.message}`;
  const details = { ...(name !== undefined && { name }), ...(group !== "" && { group }), kind };
  return new StatusError(403, "Forbidden", message, details, error.headers, { told: error.told });
}
