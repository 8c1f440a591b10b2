/** A google.protobuf.Duration as milliseconds; undefined stays undefined, so that a caller's default can follow. */
export const durationMs = (duration: { seconds: bigint; nanos: number } | undefined): number | undefined =>
  duration === undefined ? undefined : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
