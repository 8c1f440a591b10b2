import { join } from "node:path";
import { DashboardError, told } from "../contract/index.ts";
import { remember } from "../lib/remember.ts";
import { createQueries, type Queries } from "../query/queries.ts";
import { openTelemetryReader, type TelemetryPlace } from "../store/open-telemetry.ts";
import { failingAs } from "./failing-as.ts";
import { prepareJson } from "./json-answer.ts";
import type { followedSteps } from "./retention.ts";

/** Opens telemetry when it is first asked for, and again after a failure. */
export function openQueries(
  place: TelemetryPlace,
  kept: ReturnType<typeof followedSteps>,
  facts: Parameters<typeof createQueries>[0]["facts"],
): () => Promise<Queries> {
  const unreadable = unreadableTelemetry(place.data);
  const opened = remember(async () => {
    const reader = await openTelemetryReader(place).catch(unreadable);
    return createQueries({ reader: failingAs(unreadable, reader), facts, keptSec: kept.steps, prepare: prepareJson });
  }, Number.POSITIVE_INFINITY);
  return () => {
    void kept.follow().catch(() => undefined); // what held before holds until it can be read again
    return opened();
  };
}

/** What a failure to read telemetry is to whoever asked. `data`: the folder of telemetry.db. */
export const unreadableTelemetry =
  (data: string) =>
  (error: unknown): never => {
    const why = error instanceof Error ? error.message : String(error);
    const words = told("telemetry-unreadable", { why: why.replaceAll(join(data, "telemetry.db"), "telemetry.db") });
    throw new DashboardError({ code: "TELEMETRY_UNREACHABLE", ...words });
  };
