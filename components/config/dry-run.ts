import type { ApiError } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";

const againMs = 2000;

/** Nobody has judged the draft: the same question may be answered in a moment. */
const unanswered: ReadonlySet<ApiError["code"]> = new Set([
  "BUSY",
  "CONTROL_PLANE_UNREACHABLE",
  "INTERNAL",
  "LIMITED",
  "TELEMETRY_UNREACHABLE",
]);

/** How the dry run of a draft is asked, wherever one is written: a refusal stands until the draft changes, silence is asked again. */
export const asDryRun = {
  retry: false,
  refetchInterval: ({ state: { error } }: { state: { error: Error | null } }): number | false =>
    error !== null && unanswered.has(toApiError(error).code) ? againMs : false,
} as const;
