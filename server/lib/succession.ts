import type { ChildProcess, SendHandle } from "node:child_process";

/**
 * What a process and whoever started it say over Node's IPC channel when a successor takes over. `socket` comes with a listening socket, from the old process
 * to the starter and from there to the successor; `sockets` ends the row.
 */
export type SuccessionMessage =
  /** To the old one: send your sockets, and go on. */
  | { succession: "hand over" }
  | { succession: "socket"; address: string; port: number }
  /** `counts`: what the old one has counted so far, in a form of its own. */
  | { succession: "sockets"; counts?: unknown }
  /** What the old one has counted since then, when it has ended its last requests; from it to the starter, and from there to the successor. */
  | { succession: "counts"; counts: unknown }
  /** To the starter. */
  | { succession: "serving" }
  /** To the old one: the successor serves, so drain and end. */
  | { succession: "give way" };

/** Set for a process that is to wait for its predecessor's sockets before it listens. */
export const succeedsVariable = "LIMPID_SUCCEEDS";

/** The kernel's socket, which `server.listen()` takes and IPC channels carry; its own process goes on with it as well. */
export interface SocketHandle {
  close(): void;
}

export interface ListeningSocket {
  /** As configured; not 0. */
  readonly address: string;
  readonly port: number;
  readonly handle: SocketHandle;
}

/** Either end of an IPC channel: a ChildProcess, or the process itself. */
type Channel = Pick<ChildProcess | NodeJS.Process, "on" | "off" | "send">;

export function onSuccession(
  channel: Channel,
  listener: (message: SuccessionMessage, handle: SocketHandle | undefined) => void,
): () => void {
  const heard = (message: unknown, handle: unknown) => {
    if (message === null || typeof message !== "object" || !("succession" in message)) return;
    listener(message as SuccessionMessage, handle as SocketHandle | undefined);
  };
  (channel as NodeJS.Process).on("message", heard);
  return () => void (channel as NodeJS.Process).off("message", heard);
}

/** @returns false: the other end is gone */
export function say(channel: Channel, message: SuccessionMessage, handle?: SocketHandle, done?: () => void): boolean {
  try {
    // A raw handle crosses without being opened; of a net.Server the receiver would begin to accept at once.
    channel.send?.(message, handle as unknown as SendHandle, {}, () => done?.());
    return channel.send !== undefined;
  } catch {
    done?.();
    return false;
  }
}

/** What a process leaves to its successor. */
export interface Inheritance {
  readonly sockets: readonly ListeningSocket[];
  readonly counts: unknown;
}

/** Everything up to `sockets`; undefined when that does not come in time, or the other end goes. */
export function receiveSockets(channel: Channel, timeoutMs: number): Promise<Inheritance | undefined> {
  return new Promise((resolve) => {
    const sockets: ListeningSocket[] = [];
    const end = (result: Inheritance | undefined) => {
      stop();
      clearTimeout(timer);
      (channel as NodeJS.Process).off("disconnect", gone);
      if (result === undefined) for (const { handle } of sockets) handle.close();
      resolve(result);
    };
    const gone = () => end(undefined);
    const timer = setTimeout(gone, timeoutMs);
    (channel as NodeJS.Process).on("disconnect", gone);
    const stop = onSuccession(channel, (message, handle) => {
      if (message.succession === "sockets") end({ sockets, counts: message.counts });
      if (message.succession === "socket" && handle !== undefined) {
        sockets.push({ address: message.address, port: message.port, handle });
      }
    });
  });
}

/** @param keep false: closes this process's own, once they are on their way */
export function sendSockets(channel: Channel, { sockets, counts }: Inheritance, keep: boolean): void {
  for (const { address, port, handle } of sockets) {
    say(channel, { succession: "socket", address, port }, handle, () => {
      if (!keep) handle.close();
    });
  }
  say(channel, { succession: "sockets", counts });
}
