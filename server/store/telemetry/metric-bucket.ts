import { LatencySketch } from "../../lib/latency-sketch.ts";
import { readVarint, VarintSource, writeVarint } from "../../lib/varint.ts";
import type { MetricSum } from "../../telemetry/metric-record.ts";

/** The points of one series in a bucket of time. */
export interface MetricBucketEntry extends MetricSum {
  /** The series' row id. */
  series: number;
}

const format = 1;
const doubles = 4;

/**
 * A bucket of metrics as one value: a format, then for each entry as varints the series and the number of points; sum, least, largest and
 * last value as little-endian doubles; and the length of the encoded sketch, which follows.
 */
export function encodeMetrics(entries: Iterable<MetricBucketEntry>): Uint8Array {
  const out = [format];
  const view = new DataView(new ArrayBuffer(8));
  for (const { series, count, sum, min, max, last, spread } of entries) {
    writeVarint(out, series);
    writeVarint(out, count);
    for (const value of [sum, min, max, last]) {
      view.setFloat64(0, value, true);
      for (let i = 0; i < 8; i++) out.push(view.getUint8(i));
    }
    const sketch = spread?.encode() ?? [];
    writeVarint(out, sketch.length);
    for (const byte of sketch) out.push(byte);
  }
  return Uint8Array.from(out);
}

/** Throws RangeError when the bytes are not a bucket of metrics. */
export function* decodeMetrics(bytes: Uint8Array): Generator<MetricBucketEntry> {
  if (bytes[0] !== format) throw new RangeError("not an encoded bucket of metrics");
  const source = new VarintSource();
  source.reset(bytes, 1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  while (source.at < source.end) {
    const series = readVarint(source);
    const count = readVarint(source);
    const at = source.at;
    if (at + 8 * doubles > source.end) throw new RangeError("the bucket of metrics is cut off");
    source.at += 8 * doubles;
    const length = readVarint(source);
    const spread = length > 0 ? LatencySketch.decode(bytes.subarray(source.at, source.at + length)) : undefined;
    source.at += length;
    const value = (i: number) => view.getFloat64(at + 8 * i, true);
    yield { series, count, sum: value(0), min: value(1), max: value(2), last: value(3), spread };
  }
}

/** Sums of encoded buckets in the order of their time, by series. */
export class MetricFold {
  readonly #sums = new Map<number, MetricBucketEntry>();

  add(bucket: Uint8Array): void {
    for (const entry of decodeMetrics(bucket)) {
      const sum = this.#sums.get(entry.series);
      if (sum === undefined) this.#sums.set(entry.series, entry);
      else addMetric(sum, entry);
    }
  }

  entries(): Iterable<MetricBucketEntry> {
    return this.#sums.values();
  }

  /** As one bucket. */
  encode(): Uint8Array {
    return encodeMetrics(this.#sums.values());
  }
}

/** Adds what came later. */
export function addMetric(to: MetricSum, later: MetricSum): void {
  to.count += later.count;
  to.sum += later.sum;
  to.min = Math.min(to.min, later.min);
  to.max = Math.max(to.max, later.max);
  to.last = later.last;
  if (later.spread === undefined) return;
  to.spread ??= new LatencySketch();
  to.spread.merge(later.spread);
}
