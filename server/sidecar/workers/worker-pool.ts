import type { ChildProcess } from "node:child_process";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { Backoff } from "../../lib/backoff.ts";
import type { Logger } from "../../lib/logger.ts";
import type { FromWorker, ToWorker } from "./messages.ts";
import type { ResourceJournal } from "./resource-journal.ts";
import type { SharedSockets } from "./shared-sockets.ts";
import { WorkerSlot } from "./worker-slot.ts";

export interface WorkerPoolOptions {
  readonly count: number;
  /** Starts the process that is to be the worker of that number. */
  readonly fork: (index: number) => ChildProcess;
  readonly node: Node;
  readonly sockets: SharedSockets;
  readonly journal: ResourceJournal;
  readonly logger: Logger;
  /** Some worker has become live, or has ended. */
  readonly onChange: () => void;
}

/**
 * The processes that serve. Each gets what discovery sends and the sockets that all share; one that ends or hangs is replaced, and its successor is told all that
 * is in force. None of them knows of the others.
 */
export class WorkerPool {
  readonly slots: readonly WorkerSlot[];
  private readonly options: WorkerPoolOptions;
  /** What holds until something else is said, for those that come later. */
  private readonly standing = new Map<string, ToWorker>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private watch: NodeJS.Timeout | undefined = undefined;
  private stopping = false;

  constructor(options: WorkerPoolOptions) {
    this.options = options;
    this.slots = Array.from({ length: options.count }, (_, index) => new WorkerSlot(index, options.node));
  }

  start(): void {
    for (const slot of this.slots) this.launch(slot, new Backoff({ baseMs: 200, maxMs: 10_000 }));
    this.watch = setInterval(() => void this.look(), lookEveryMs).unref();
  }

  get live(): number {
    return this.slots.filter(({ live }) => live).length;
  }

  tell(message: ToWorker): void {
    for (const slot of this.slots) if (slot.greeted) slot.send(message);
  }

  /** The same, and to every worker to come. */
  establish(key: string, message: ToWorker): void {
    this.standing.set(key, message);
    this.tell(message);
  }

  /** Asks all of them for what they have counted; one that gives no answer is shown as it was last known. */
  async refresh(pages: boolean): Promise<void> {
    await this.ask((id) => ({ kind: "report", id, pages }));
  }

  async ask(question: (id: number) => ToWorker): Promise<FromWorker[]> {
    const answers = await Promise.all(this.slots.map((slot) => slot.ask(question, answerMs)));
    return answers.filter((answer) => answer !== undefined);
  }

  reset(): void {
    this.tell({ kind: "reset counters" });
    for (const slot of this.slots) slot.reset();
  }

  /** Resolves when all of them have ended, be it by force after `ms`. */
  async stop(handedOver: boolean, ms: number): Promise<void> {
    this.stopping = true;
    clearInterval(this.watch);
    for (const timer of this.timers) clearTimeout(timer);
    for (const slot of this.slots) {
      if (slot.greeted) slot.send({ kind: "drain", handedOver });
      else slot.kill("SIGKILL");
    }
    const force = setTimeout(() => {
      for (const slot of this.slots) slot.kill("SIGKILL");
    }, ms);
    await Promise.all(this.slots.map(({ ended }) => ended));
    clearTimeout(force);
  }

  private launch(slot: WorkerSlot, backoff: Backoff): void {
    const { fork, logger, onChange } = this.options;
    const child = fork(slot.index);
    slot.begin(child);
    const began = performance.now();
    let over = false;
    const ended = (how: string) => {
      if (over) return;
      over = true;
      slot.end();
      if (this.stopping) return;
      if (performance.now() - began > steadyMs) backoff.reset();
      const againInMs = backoff.next();
      logger.error({ worker: slot.index, pid: child.pid, how, againInMs }, "a worker has ended; starting another");
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.launch(slot, backoff);
      }, againInMs);
      this.timers.add(timer);
      onChange();
    };
    child.on("message", (message) => this.heard(slot, message as FromWorker));
    child.on("error", ({ message }) => {
      // Of a process that could not be started; one that can't be signalled or sent to says so here, too, and its end follows.
      if (child.pid === undefined) ended(message);
    });
    // By now all that it has said has been heard.
    child.once("close", (code, signal) => ended(signal ?? `code ${code}`));
  }

  private heard(slot: WorkerSlot, message: FromWorker): void {
    slot.heard(message);
    switch (message.kind) {
      case "hello":
        slot.greeted = true;
        for (const standing of this.standing.values()) slot.send(standing);
        for (const resources of this.options.journal.replay()) slot.send(resources);
        break;
      case "listen": {
        const { id, name, address, port } = message;
        const found = this.options.sockets.get(name, { address, port });
        if ("code" in found) slot.send({ kind: "socket", id, error: found });
        else slot.send({ kind: "socket", id }, found);
        break;
      }
      case "live":
        slot.live = true;
        this.options.onChange();
        break;
    }
  }

  /** A loop that is blocked answers nobody, and only SIGKILL reaches its process. */
  private async look(): Promise<void> {
    await this.refresh(false);
    for (const slot of this.slots) {
      const silentMs = performance.now() - slot.heardMs;
      if (slot.pid === undefined || silentMs < hungMs) continue;
      this.options.logger.error(
        { worker: slot.index, pid: slot.pid, silentMs },
        "a worker gives no answer; killing it",
      );
      slot.kill("SIGKILL");
    }
  }
}

/** How often counts are fetched: so much of them is lost with a worker that dies. */
const lookEveryMs = 5_000;
const answerMs = 1_000;
/** As long as a supervisor waits for a whole proxy. */
const hungMs = 40_000;
const steadyMs = 30_000;
