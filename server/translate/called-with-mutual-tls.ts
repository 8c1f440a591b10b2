import { memo } from "../lib/memo.ts";
import { findDestinationRule, selectedRules } from "../model/destination-rules.ts";
import type { Mesh } from "../model/mesh.ts";
import type { Service } from "../model/service.ts";
import { trafficPolicy } from "./traffic-policy.ts";

/** Whether the rules have some client, of whatever namespace, call this port (or a subset of it) with the mesh's certificates. */
export const isCalledWithMutualTls = (mesh: Mesh, service: Service, port: number): boolean =>
  memo(service, `called with mutual TLS ${port}`, [mesh.destinationRules, mesh.options.rootNamespace], () => {
    const { destinationRules, options } = mesh;
    // Clients of namespaces without rules all see the same, whatever theirs is called.
    const clients = [...destinationRules.byNamespace.keys(), ""];
    const rules = clients.flatMap((client) => [
      findDestinationRule(destinationRules, service.hostname, service.namespace, client, options.rootNamespace),
      ...selectedRules(destinationRules, client, service.hostname),
    ]);
    return [...new Set(rules)].some((rule) =>
      ["", ...(rule?.subsets ?? []).map(({ name }) => name)].some(
        (subset) => trafficPolicy(rule, subset, port).tls?.mode === "ISTIO_MUTUAL",
      ),
    );
  });
