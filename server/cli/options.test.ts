import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { createXdsServer } from "../xds/ads-server.ts";
import { makeDataFolder, sentenceOf } from "./options.ts";

test("a port that is taken is one sentence with the way out, from Node and from gRPC", async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, "127.0.0.1", done));
  const { port } = taken.address() as { port: number };
  const sentence = `127.0.0.1:${port} is taken by another process. Stop that one, or move every port with --port-offset 1000.`;
  try {
    const events = { connected: () => undefined, disconnected: () => undefined };
    const xds = createXdsServer({ port, clock: systemClock, logger: silentLogger, events });
    expect(sentenceOf(await xds.start().catch((error: unknown) => error))).toBe(sentence);
    const second = createServer();
    const error = await new Promise((done) => second.once("error", done).listen(port, "127.0.0.1"));
    expect(sentenceOf(error)).toBe(sentence);
  } finally {
    await new Promise((done) => taken.close(done));
  }
  expect(sentenceOf(new Error("anything else"))).toBe("anything else");
});

test("the data folder is made, for its owner alone; one that can't be is named", () => {
  const folder = mkdtempSync(join(tmpdir(), "limpid-cli-"));
  try {
    expect(makeDataFolder({ data: join(folder, "a/b") })).toBe(join(folder, "a/b"));
    expect(statSync(join(folder, "a/b")).mode & 0o777).toBe(0o700);
    writeFileSync(join(folder, "file"), "");
    expect(() => makeDataFolder({ data: join(folder, "file/data") })).toThrow(
      `the data folder ${join(folder, "file/data")} can't be made (ENOTDIR); choose another with --data or LIMPID_DATA.`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
