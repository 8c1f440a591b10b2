import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { parseGoDuration } from "../lib/go-duration.ts";

/** `1h30m`, `1.5s`, `100ms`. Throws on anything else, which config validation has refused before. */
export function duration(text: string): Duration {
  const ms = parseGoDuration(text);
  if (ms === undefined) throw new Error(`"${text}" is not a duration`);
  return milliseconds(ms);
}

export const seconds = (count: number): Duration => milliseconds(count * 1000);

export function milliseconds(ms: number): Duration {
  const whole = Math.trunc(ms / 1000);
  return create(DurationSchema, { seconds: BigInt(whole), nanos: Math.round((ms - whole * 1000) * 1e6) });
}

/** In Envoy's routes, no timeout at all. */
export const zero: Duration = seconds(0);
