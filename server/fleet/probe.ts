import { get } from "node:http";
import { connect } from "node:net";
import type { ProbeResult } from "./liveness.ts";

const timeoutMs = 5_000;

/**
 * Asks a part how it is. An answer of 200 is `ready`, any other is `unready`: it lives, and says that it can't serve now. `silent`: no answer
 * within five seconds, or no listener. The connect comes first, because most probes of a start come before the port is open.
 */
export async function probeHttp(host: string, port: number, path: string, signal: AbortSignal): Promise<ProbeResult> {
  return (await tcpOpen(host, port)) ? ask(host, port, path, signal) : "silent";
}

function ask(host: string, port: number, path: string, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const request = get({ host, port, path, signal, agent: false }, (response) => {
      response.resume();
      clearTimeout(timer);
      resolve(response.statusCode === 200 ? "ready" : "unready");
    });
    request.on("error", () => {
      clearTimeout(timer);
      resolve("silent");
    });
    // After a stall of this process timers come before what has arrived meanwhile: one more turn, so that an answer that is there counts.
    const timer = setTimeout(() => setImmediate(() => setImmediate(() => request.destroy())), timeoutMs);
  });
}

/** True when something accepts connections there; the kernel does so for a stopped process, too. */
function tcpOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
    socket.once("timeout", () => done(false));
  });
}
