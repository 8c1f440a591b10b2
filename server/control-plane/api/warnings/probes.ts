import type { ConfigObject } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { httpProbes, policiesThatShutOut } from "../../../model/probes.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** Endpoints that are probed and, as policies stand, refuse the probes: to those who probe they are ill. */
export function* shutOutProbes({ kind, metadata, spec }: ConfigObject, { mesh }: Facts): Generator<Finding> {
  for (const probe of httpProbes(mesh)) {
    const policies = policiesThatShutOut(mesh, probe);
    if (policies.length === 0) continue;
    const { service, spec: check } = probe.checked;
    const isIt =
      kind === "HealthCheck"
        ? service.namespace === metadata.namespace && check === spec
        : policies.some(({ namespace, name }) => namespace === metadata.namespace && name === metadata.name);
    if (!isIt) continue;
    const all = { path: probe.path, service: service.hostname };
    const names = policies.map(({ namespace, name }) => `${namespace}/${name}`).join(", ");
    yield kind === "HealthCheck"
      ? { path: "spec.http.path", ...told("probes-shut-out-by", { ...all, names }) }
      : { path: "spec.rules", ...told("probes-shut-out", all) };
    return;
  }
}
