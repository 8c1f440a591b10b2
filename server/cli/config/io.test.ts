import { spawn } from "node:child_process";
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";

/** A command of its own that prints more than a pipe holds. */
const command = `
import { processIo, runCommand } from ${JSON.stringify(pathToFileURL(`${import.meta.dirname}/io.ts`).href)};
await runCommand(processIo, async () => processIo.out("line\\n".repeat(1_000_000)));
`;

it("ends well when whoever reads has read enough", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", command]);
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString("utf8");
  });
  await once(child.stdout, "data");
  child.stdout.destroy();
  const [code] = await once(child, "close");
  expect([code, said]).toEqual([0, ""]);
});
