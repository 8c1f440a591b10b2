import { encodeBucket } from "../../server/store/telemetry/bucket.ts";
import { Fold } from "../../server/store/telemetry/fold.ts";
import { defaultRetention, type Step, steps } from "../../server/wire/retention.ts";
import type { Bars } from "./bars.ts";
import { rollupsOf, type SyntheticCall } from "./synthetic-mesh.ts";
import type { Place } from "./telemetry-places.ts";

const day = 86_400;

interface Written {
  calls: readonly SyntheticCall[];
  /** Bytes that the history of a call took. */
  diskPerEdge: number;
  historySec: number;
}

/**
 * What an edge takes on its first day, when most is added: by the size of its buckets at each step, and by how much more than these the database took for the history
 * that was written. Both sides of a call report it.
 */
export function reportDisk(place: Place, bars: Bars, { calls, diskPerEdge, historySec }: Written): void {
  const size = new Map(steps.map((step) => [step, bucketBytes(calls, step)]));
  const bytesAfter = (seconds: number) =>
    steps.reduce((sum, step) => {
      const kept = Math.min(seconds, defaultRetention.steps[step]);
      return sum + Math.floor(kept / step) * (size.get(step) ?? 0);
    }, 0);
  const overhead = diskPerEdge / bytesAfter(historySec);
  const perDay = (2 * bytesAfter(day) * overhead) / 1e6;
  const whole = (2 * bytesAfter(30 * day) * overhead) / 1e6;
  const sizes = steps.map((step) => `${(size.get(step) ?? 0).toFixed(0)} bytes of ${step} s`).join(", ");
  process.stdout.write(
    `${place.name}: an edge's bucket: ${sizes}; the database takes ${overhead.toFixed(1)} times as much; ${whole.toFixed(2)} MB after thirty days\n`,
  );
  bars.add({ what: `${place.name}: disk of an edge on its first day`, value: perDay, unit: "MB", most: 12 });
}

function bucketBytes(calls: readonly SyntheticCall[], step: Step): number {
  const fold = new Fold();
  for (let second = 0; second < step; second++) {
    fold.add(encodeBucket(rollupsOf(calls, second).map((entry, i) => ({ ...entry, edge: i + 1 }))));
    if (step === 3600 && second === 600) break; // more requests make an hour's bucket hardly longer
  }
  return fold.encode().length / calls.length;
}
