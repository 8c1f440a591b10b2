import type { AuthorizationPolicy } from "./authorization-policies.ts";
import type { Endpoint } from "./endpoints.ts";
import { type CheckedPort, checkedPorts } from "./health-checks.ts";
import type { Mesh } from "./mesh.ts";
import { attachedTo, targetKeysOf } from "./policy-attachment.ts";

/** A request by which an endpoint is probed over mutual TLS: any proxy of the mesh may send it, and policies hold for it. */
export interface Probe {
  readonly checked: CheckedPort;
  readonly endpoint: Endpoint;
  readonly path: string;
}

/** Those over HTTP: a connection alone is let in before any policy is asked. */
export const httpProbes = (mesh: Mesh): Probe[] =>
  checkedPorts(mesh).flatMap((checked) => {
    const { spec, mutualTls, endpoints } = checked;
    if (spec.http === undefined || mutualTls === undefined) return [];
    const [path = ""] = spec.http.path.split("?", 1);
    return endpoints.map((endpoint) => ({ checked, endpoint, path }));
  });

/** Policies in force before an endpoint of which one has to allow what is asked; one of them lets a probe in, or its endpoint counts as unhealthy. */
export function policiesThatShutOut(mesh: Mesh, { checked, endpoint, path }: Probe): readonly AuthorizationPolicy[] {
  const { namespace } = endpoint.workload;
  const services = targetKeysOf(checked.service);
  const workload = { namespace, labels: endpoint.labels, isGateway: false, services };
  const allowing = attachedTo(mesh.authorizationPolicies, mesh.options.rootNamespace, workload).filter(
    ({ action, dryRun }) => action === "ALLOW" && !dryRun,
  );
  const lets = allowing.some(({ rules }) => rules.some((rule) => letsIn(rule, endpoint.port, path)));
  return lets ? [] : allowing;
}

type Rule = AuthorizationPolicy["rules"][number];

/** Whether a rule plainly lets every proxy of the mesh ask for the path. What hangs on more than that is no promise. */
const letsIn = ({ from = [], to = [], when = [] }: Rule, port: number, path: string): boolean =>
  when.length === 0 &&
  (from.length === 0 ||
    from.some(
      ({ source }) =>
        isOnly(source, "principals") && (source.principals ?? []).some((it) => /^(?:\*|[^/*]+\/\*)$/.test(it)),
    )) &&
  (to.length === 0 ||
    to.some(
      ({ operation }) =>
        isOnly(operation, "ports", "methods", "paths") &&
        (operation.ports ?? [String(port)]).includes(String(port)) &&
        (operation.methods ?? ["GET"]).some((it) => it === "GET" || it === "*") &&
        (operation.paths ?? [path]).some((it) => covers(it, path)),
    ));

const isOnly = (value: object, ...fields: string[]): boolean => Object.keys(value).every((key) => fields.includes(key));

const covers = (pattern: string, path: string): boolean =>
  pattern === path ||
  (pattern.endsWith("*") && path.startsWith(pattern.slice(0, -1))) ||
  (pattern.startsWith("*") && path.endsWith(pattern.slice(1)));
