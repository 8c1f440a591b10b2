import type { Socket } from "node:net";

/** Opens a connection to an application in this process. */
type Dial = () => Socket;

const applications = new Map<string, Dial>();

/**
 * From now on an endpoint of that address, which no network has, is the application in this process. As the kernel's ports are, these are the process's and not one proxy's.
 * @returns ends it
 */
export function serveInProcess(address: string, port: number, dial: Dial): () => void {
  const key = `${address}:${port}`;
  if (applications.has(key)) throw new Error(`port ${port} is served already`);
  applications.set(key, dial);
  return () => void (applications.get(key) === dial && applications.delete(key));
}

/** Undefined: the endpoint is somewhere else. It is told by `connect` when it can be used, as of any other. */
export function dialInProcess(address: string, port: number): Socket | undefined {
  if (applications.size === 0) return undefined;
  const socket = applications.get(`${address}:${port}`)?.();
  if (socket !== undefined) process.nextTick(() => socket.emit("connect"));
  return socket;
}
