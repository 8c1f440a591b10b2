import {
  DashboardError,
  told,
  type WorkloadList,
  type WorkloadMetrics,
  type WorkloadViews,
} from "../contract/index.ts";
import type { Queries } from "../query/queries.ts";

export interface Workloads {
  workloads(query: { windowSec: number }): Promise<WorkloadList>;
  workloadMetrics(query: { namespace: string; name: string; windowSec: number }): Promise<WorkloadMetrics>;
}

/** `known`: the registry's workloads. */
export function createWorkloads(queries: () => Promise<Queries>, known: () => Promise<WorkloadViews>): Workloads {
  const list: Workloads["workloads"] = async ({ windowSec: window }) => {
    const [ready, { workloads }] = await Promise.all([queries(), known()]);
    return ready.workloadList({ window, workloads });
  };
  return {
    workloads: list,
    async workloadMetrics({ namespace, name, windowSec: window }) {
      const { workloads } = await list({ windowSec: 60 });
      const workload = workloads.find((one) => one.namespace === namespace && one.name === name);
      if (!workload) throw new DashboardError({ code: "NOT_FOUND", ...told("no-workload", { name, namespace }) });
      return (await queries()).workloadMetrics({ window, workload });
    },
  };
}
