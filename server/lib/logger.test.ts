import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { logLevelOf } from "./logger.ts";

const program = (atStart: string, atEnd: string) => `
  import { createLogger } from ${JSON.stringify(join(import.meta.dirname, "logger.ts"))};
  const logger = createLogger("part", "info");
  ${atStart}
  process.stdin.on("end", () => { ${atEnd} process.exit(0); }).resume();
`;

const start = (source: string) => spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: "pipe" });

test("writes one JSON object a line to stderr", async () => {
  const child = start(program('logger.info({ port: 1 }, "serves");', ""));
  const [line] = (await once(child.stderr, "data")) as [Buffer];
  expect(JSON.parse(line.toString("utf8"))).toMatchObject({ component: "part", port: 1, msg: "serves" });
  child.kill("SIGKILL");
});

test("a process whose log has lost its reader still ends", async () => {
  const child = start(program('logger.info({}, "up");', 'logger.info({}, "draining"); logger.info({}, "stopped");'));
  await once(child.stderr, "data");
  child.stderr.destroy();
  child.stdin.end();
  const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
  const [code] = await once(child, "exit");
  clearTimeout(timer);
  expect(code).toBe(0);
});

test("a level that doesn't exist is one sentence that names the variable", () => {
  expect(logLevelOf(undefined)).toBe("info");
  expect(logLevelOf("warn")).toBe("warn");
  expect(() => logLevelOf("loud")).toThrow('LIMPID_LOG_LEVEL "loud": must be one of trace, debug, info');
});
