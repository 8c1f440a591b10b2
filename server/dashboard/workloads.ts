import {
  DashboardError,
  told,
  type WorkloadList,
  type WorkloadMetrics,
  type WorkloadViews,
} from "../contract/index.ts";
import type { Queries } from "../query/queries.ts";

/** `at` ends it; left out, it ends now. */
interface Stretch {
  windowSec: number;
  at?: number | undefined;
}

export interface Workloads {
  workloads(query: Stretch): Promise<WorkloadList>;
  workloadMetrics(query: Stretch & { namespace: string; name: string }): Promise<WorkloadMetrics>;
}

/** `known`: the registry's workloads. */
export function createWorkloads(queries: () => Promise<Queries>, known: () => Promise<WorkloadViews>): Workloads {
  const list: Workloads["workloads"] = async ({ windowSec: window, at }) => {
    const [ready, { workloads }] = await Promise.all([queries(), known()]);
    return ready.workloadList({ window, at, workloads });
  };
  return {
    workloads: list,
    async workloadMetrics({ namespace, name, windowSec: window, at }) {
      const { workloads } = await list({ windowSec: 60 });
      const workload = workloads.find((one) => one.namespace === namespace && one.name === name);
      if (!workload) throw new DashboardError({ code: "NOT_FOUND", ...told("no-workload", { name, namespace }) });
      const { app, version } = workload;
      const alike = workloads.filter(
        (one) => one.namespace === namespace && one.app === app && one.version === version,
      );
      const only = alike.length > 1 ? name : undefined;
      return (await queries()).workloadMetrics({ window, at, workload, only });
    },
  };
}
