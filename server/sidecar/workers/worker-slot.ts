import type { ChildProcess, SendHandle } from "node:child_process";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { SocketHandle } from "../../lib/succession.ts";
import { IstioMetrics } from "../access-log/istio-metrics.ts";
import { Stats } from "../stats.ts";
import { addCounts } from "../stats-snapshot.ts";
import type { FromWorker, ToWorker, WorkerReport } from "./messages.ts";

/** One place of a worker: the process that has it now, and what those before it had counted. */
export class WorkerSlot {
  readonly index: number;
  /** Of processes that have ended. */
  private past: Stats = new Stats();
  private pastIstio: IstioMetrics;
  private readonly node: Node;
  private readonly waiting = new Map<number, (answer: FromWorker | undefined) => void>();
  private nextId = 1;
  private process: ChildProcess | undefined = undefined;
  private last: WorkerReport | undefined = undefined;
  private sayEnded: () => void = () => {};
  /** Resolves when the present process has ended. */
  ended: Promise<void> = Promise.resolve();
  /** Has said hello, so that it hears what is sent. */
  greeted = false;
  live = false;
  /** Of its last word, `performance.now()`. */
  heardMs = 0;

  constructor(index: number, node: Node) {
    this.index = index;
    this.node = node;
    this.pastIstio = new IstioMetrics(node);
  }

  get pid(): number | undefined {
    return this.process?.pid;
  }

  begin(child: ChildProcess): void {
    this.process = child;
    this.heardMs = performance.now();
    this.ended = new Promise((resolve) => {
      this.sayEnded = resolve;
    });
  }

  /** What its process has counted is kept. */
  end(): void {
    this.process = undefined;
    this.greeted = false;
    this.live = false;
    if (this.last !== undefined) {
      addCounts(this.past, this.last.stats);
      this.pastIstio.absorb(this.last.istio);
    }
    this.last = undefined;
    for (const answer of [...this.waiting.values()]) answer(undefined);
    this.sayEnded();
  }

  heard(message: FromWorker): void {
    this.heardMs = performance.now();
    // Pages that were not asked for this time stay as they were.
    if (message.kind === "report") this.last = { ...this.last, ...message.report };
    if ((message.kind === "report" || message.kind === "loads") && message.id !== undefined) {
      this.waiting.get(message.id)?.(message);
    }
  }

  send(message: ToWorker, handle?: SocketHandle): void {
    // One whose process is going hears no more; its successor is told everything.
    if (this.process?.connected !== true) return;
    this.process.send(message, handle as unknown as SendHandle, {}, () => {});
  }

  kill(signal: NodeJS.Signals): void {
    this.process?.kill(signal);
  }

  /** Undefined: no answer in time. */
  ask(question: (id: number) => ToWorker, timeoutMs: number): Promise<FromWorker | undefined> {
    if (!this.greeted) return Promise.resolve(undefined);
    const id = this.nextId++;
    return new Promise((resolve) => {
      const end = (answer: FromWorker | undefined) => {
        clearTimeout(timer);
        this.waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(end, timeoutMs, undefined);
      this.waiting.set(id, end);
      this.send(question(id));
    });
  }

  /** Counts of its processes, present and past, with the last known gauges. */
  counts(): { stats: Stats; istio: IstioMetrics; last: WorkerReport | undefined } {
    const stats = new Stats();
    const istio = new IstioMetrics(this.node);
    for (const [name, { value }] of this.past.counters) stats.counter(name).value = value;
    for (const [name, histogram] of this.past.histograms)
      addCounts(stats, { counters: [], histograms: [[name, { ...histogram, counts: [...histogram.counts] }]] });
    istio.absorb(this.pastIstio.snapshot());
    if (this.last !== undefined) {
      addCounts(stats, this.last.stats);
      istio.absorb(this.last.istio);
    }
    return { stats, istio, last: this.last };
  }

  reset(): void {
    this.past = new Stats();
    this.pastIstio = new IstioMetrics(this.node);
    this.last = undefined;
  }
}
