import { Command } from "commander";
import { registerJoin } from "../join.ts";

/** `limpid join` within this process, against the mesh of that port offset. Resolves with what it said, rejects as it would end with an error. */
export async function runJoin(portOffset: number, ...args: string[]): Promise<string> {
  let said = "";
  const out = (text: string) => {
    said += text;
  };
  const io = { out, err: out, stdin: async () => "", fail: () => undefined, env: {} };
  const program = new Command().exitOverride();
  registerJoin(program, io);
  await program.parseAsync(["join", "--port-offset", String(portOffset), ...args], { from: "user" });
  return said;
}
