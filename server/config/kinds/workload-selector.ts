import { z } from "zod";
import { labels } from "./fields.ts";

/** https://istio.io/latest/docs/reference/config/type/workload-selector/ */
export const workloadSelectorSchema = z.strictObject({
  matchLabels: labels().optional().describe("Labels that the workloads have, all of them."),
});
