import { edgeId, type TrafficRecord } from "./record.ts";

export interface SampleLimits {
  /** Successes kept per edge and second. */
  perEdgeAndSecond: number;
  /** Successes and errors waiting to be written; past it they are shed. */
  maxWaiting: number;
  maxWaitingErrors: number;
}

interface Reservoir {
  seen: number;
  kept: TrafficRecord[];
}

/** Keeps every error and a fair few of the successes (Vitter's algorithm R per edge and second), until drained. */
export class Samples {
  shed = 0;
  #errors: TrafficRecord[] = [];
  /** By edge and second. */
  #reservoirs = new Map<string, Map<number, Reservoir>>();
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
    const key = edgeId(record.edge);
    let ofEdge = this.#reservoirs.get(key);
    if (ofEdge === undefined) {
      ofEdge = new Map();
      this.#reservoirs.set(key, ofEdge);
    }
    const second = Math.floor(record.timeMs / 1000);
    let reservoir = ofEdge.get(second);
    if (reservoir === undefined) {
      if (this.#waiting >= this.#limits.maxWaiting) {
        this.shed++;
        return;
      }
      reservoir = { seen: 0, kept: [] };
      ofEdge.set(second, reservoir);
    }
    this.#keep(reservoir, record);
  }

  drain(): TrafficRecord[] {
    const drained = [...this.#errors];
    for (const ofEdge of this.#reservoirs.values()) for (const { kept } of ofEdge.values()) drained.push(...kept);
    this.#errors = [];
    this.#reservoirs = new Map();
    this.#waiting = 0;
    return drained;
  }

  /** Gives up those of one sender. */
  discard(sender: string): void {
    const others = (records: TrafficRecord[]) => records.filter((record) => record.sender !== sender);
    this.#errors = others(this.#errors);
    this.#waiting = 0;
    for (const ofEdge of this.#reservoirs.values()) {
      for (const reservoir of ofEdge.values()) {
        reservoir.kept = others(reservoir.kept);
        this.#waiting += reservoir.kept.length;
      }
    }
  }

  #keep(reservoir: Reservoir, record: TrafficRecord): void {
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
