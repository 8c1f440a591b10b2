import type { SendHandle } from "node:child_process";
import type { SocketHandle } from "../../lib/succession.ts";
import type { ListenAddress } from "../listener/listen-address.ts";
import type { FromWorker, ToWorker } from "./messages.ts";

type Handlers = {
  readonly [Kind in Exclude<ToWorker["kind"], "socket">]: (message: Extract<ToWorker, { kind: Kind }>) => void;
};

/** A worker's end of the channel to its main process. */
export class WorkerLink {
  private readonly process: NodeJS.Process;
  private readonly sockets = new Map<number, { resolve(handle: SocketHandle): void; reject(error: Error): void }>();
  private nextId = 1;

  constructor(process: NodeJS.Process) {
    this.process = process;
  }

  /** Begins to hear; `orphaned` is called when the main process is gone. */
  start(handlers: Handlers, orphaned: () => void): void {
    this.process.on("message", (raw, handle) => {
      const message = raw as ToWorker;
      if (message.kind === "socket") this.gotSocket(message, handle as SocketHandle | undefined);
      else (handlers[message.kind] as (message: ToWorker) => void)(message);
    });
    this.process.on("disconnect", orphaned);
    this.say({ kind: "hello" });
  }

  /** A socket that all workers accept on; rejects with an error that has a `code` such as EADDRINUSE. */
  acquire(name: string, { address, port }: ListenAddress): Promise<SocketHandle> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.sockets.set(id, { resolve, reject });
      this.say({ kind: "listen", id, name, address, port });
    });
  }

  say(message: FromWorker): void {
    if (this.process.connected) this.process.send?.(message, undefined as SendHandle | undefined, {}, () => {});
  }

  /** Resolves when it is on its way. */
  async sayLast(message: FromWorker): Promise<void> {
    if (!this.process.connected) return;
    await new Promise<void>((resolve) => this.process.send?.(message, undefined, {}, () => resolve()));
  }

  private gotSocket({ id, error }: Extract<ToWorker, { kind: "socket" }>, handle: SocketHandle | undefined): void {
    const waiting = this.sockets.get(id);
    this.sockets.delete(id);
    if (waiting === undefined) handle?.close();
    else if (handle === undefined) waiting.reject(Object.assign(new Error(error?.message ?? "no socket"), error));
    else waiting.resolve(handle);
  }
}
