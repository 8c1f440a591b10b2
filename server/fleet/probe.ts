import { get } from "node:http";
import { connect } from "node:net";

/** True when a GET answers 200 within two seconds. Most probes come before the port is open: those cost a connect and no more. */
export async function httpOk(host: string, port: number, path: string, signal: AbortSignal): Promise<boolean> {
  return (await tcpOpen(host, port)) && (await getsOk(host, port, path, signal));
}

function getsOk(host: string, port: number, path: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const req = get({ host, port, path, signal, timeout: 2000, agent: false }, (res) => {
      res.resume();
      resolve(res.statusCode === 200);
    });
    req.on("timeout", () => req.destroy());
    req.on("error", () => resolve(false));
  });
}

/** True when something accepts connections there. */
export function tcpOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once("connect", () => done(true));
    socket.once("error", () => done(false));
    socket.once("timeout", () => done(false));
  });
}
