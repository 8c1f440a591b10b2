import { edgeId, type TrafficRecord } from "./record.ts";

export interface SampleLimits {
  /** Successes kept per edge and second. */
  perEdgeAndSecond: number;
  /** Successes and errors waiting to be written; past it they are shed. */
  maxWaiting: number;
  maxWaitingErrors: number;
}

/** Keeps every error and a fair few of the successes (Vitter's algorithm R per edge and second), until drained. */
export class Samples {
  shed = 0;
  #errors: TrafficRecord[] = [];
  #reservoirs = new Map<string, { seen: number; kept: TrafficRecord[] }>();
  #waiting = 0;
  readonly #limits: SampleLimits;
  readonly #random: () => number;

  constructor(limits: SampleLimits, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
  }

  get size(): number {
    return this.#waiting + this.#errors.length;
  }

  add(record: TrafficRecord): void {
    if (!record.detailed) return;
    if (isError(record)) {
      if (this.#errors.length < this.#limits.maxWaitingErrors) this.#errors.push(record);
      else this.shed++;
      return;
    }
    const key = `${Math.floor(record.timeMs / 1000)}\n${edgeId(record.edge)}`;
    let reservoir = this.#reservoirs.get(key);
    if (reservoir === undefined) {
      if (this.#waiting >= this.#limits.maxWaiting) {
        this.shed++;
        return;
      }
      reservoir = { seen: 0, kept: [] };
      this.#reservoirs.set(key, reservoir);
    }
    this.#keep(reservoir, record);
  }

  drain(): TrafficRecord[] {
    const drained = [...this.#errors, ...[...this.#reservoirs.values()].flatMap((reservoir) => reservoir.kept)];
    this.#errors = [];
    this.#reservoirs = new Map();
    this.#waiting = 0;
    return drained;
  }

  #keep(reservoir: { seen: number; kept: TrafficRecord[] }, record: TrafficRecord): void {
    reservoir.seen++;
    if (reservoir.kept.length < this.#limits.perEdgeAndSecond) {
      if (this.#waiting >= this.#limits.maxWaiting) {
        this.shed++;
        return;
      }
      reservoir.kept.push(record);
      this.#waiting++;
      return;
    }
    const slot = Math.floor(this.#random() * reservoir.seen);
    if (slot < this.#limits.perEdgeAndSecond) reservoir.kept[slot] = record;
  }
}

/** 4xx, 5xx, a gRPC status other than OK, no response at all; a TCP connection that failed. */
export const isError = (record: Pick<TrafficRecord, "code" | "flags" | "grpcStatus" | "edge">): boolean =>
  record.edge.protocol === "tcp"
    ? record.flags !== 0
    : record.code === 0 || record.code >= 400 || record.grpcStatus > 0;
