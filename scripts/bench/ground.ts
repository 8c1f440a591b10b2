// What every bench of a data path stands on: ports, waiting for a listener, tools.
import { execFileSync } from "node:child_process";
import { connect, createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export function freePort(): Promise<number> {
  return new Promise((resolve_) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve_(port));
    });
  });
}

export async function listening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve_) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve_(true));
      socket.once("error", () => resolve_(false));
      socket.once("connect", () => socket.destroy());
    });
    if (open) return;
    await wait(50);
  }
  throw new Error(`nothing listens on port ${port}`);
}

/** Whether the shell would find it. */
export function onPath(tool: string): boolean {
  try {
    execFileSync("which", [tool], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
