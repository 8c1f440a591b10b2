import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";

const nanosPer: Readonly<Record<string, bigint>> = {
  h: 3_600_000_000_000n,
  m: 60_000_000_000n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  "µs": 1_000n,
  ns: 1n,
};

/** `1h30m`, `1.5s`, `100ms`: Istio reads Go's form and protobuf's. Throws on anything else, which config validation has refused before. */
export function duration(text: string): Duration {
  const parts = [...text.matchAll(/(\d+)(?:\.(\d{1,9}))?(h|ms|m|us|µs|ns|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) throw new Error(`"${text}" is not a duration`);
  let nanos = 0n;
  for (const [, whole = "0", fraction = "", unit = "s"] of parts) {
    const per = nanosPer[unit] ?? 0n;
    nanos += BigInt(whole) * per + (BigInt(fraction.padEnd(9, "0")) * per) / 1_000_000_000n;
  }
  return create(DurationSchema, { seconds: nanos / 1_000_000_000n, nanos: Number(nanos % 1_000_000_000n) });
}

export const seconds = (count: number): Duration =>
  create(DurationSchema, { seconds: BigInt(Math.trunc(count)), nanos: Math.round((count % 1) * 1e9) });

/** In Envoy's routes, no timeout at all. */
export const zero: Duration = seconds(0);
