import type { ServiceMetrics } from "../contract/index.ts";
import type { NodeNames } from "./nodes.ts";
import type { RollupRow } from "./reader.ts";
import { type Recorded, recordedSeconds, recordedSecondsOf, stepCount } from "./recorded-seconds.ts";
import { stepOf, tallies } from "./service-tallies.ts";
import type { Tally } from "./tally.ts";
import type { Window } from "./window.ts";

/** Bytes that callers sent in a second, and got back. */
export const flowOf = (
  { requestBytes, responseBytes }: Tally,
  seconds: number,
): { sent: number; received: number } => ({
  sent: requestBytes / seconds,
  received: responseBytes / seconds,
});

/** What went over a service's TCP connections, in the window and step by step; undefined where there was none. */
export function connectionsOf(
  rows: readonly RollupRow[],
  names: NodeNames,
  window: Window,
  recorded: Recorded,
): ServiceMetrics["connections"] {
  const connections = rows.filter(({ edge }) => edge.protocol === "tcp");
  const total = tallies(connections, names, () => [all]).get(all);
  if (total === undefined) return undefined;
  const steps = tallies(connections, names, (row) => [`${stepOf(row, window)}`]);
  const secondsOf = recordedSeconds(window, recorded);
  const flows = Array.from({ length: stepCount(window) }, (_, step) => {
    const tally = steps.get(`${step}`);
    const seconds = secondsOf(step, tally !== undefined);
    if (seconds === 0) return null;
    return tally ? flowOf(tally, seconds) : { sent: 0, received: 0 };
  });
  return {
    only: connections.length === rows.length,
    bytesPerSecond: flowOf(total, recordedSecondsOf(window, recorded)),
    sent: flows.map((flow) => flow?.sent ?? null),
    received: flows.map((flow) => flow?.received ?? null),
  };
}

const all = "all";
