import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../lib/clock.ts";
import { Stats } from "../stats.ts";
import { LogFile } from "./log-file.ts";

let folder = "";
let stats = new Stats();
const files: LogFile[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "log-file-"));
  stats = new Stats();
});
afterEach(async () => {
  for (const file of files.splice(0)) await file.close();
  rmSync(folder, { recursive: true, force: true });
});

function logFile(path: string, flush = { minBytes: 1, intervalMs: 5 }): LogFile {
  const file = new LogFile(path, { stats, clock: systemClock, flush });
  files.push(file);
  return file;
}

/** Bytes read of a pipe; 0: there are none now. */
function available(fd: number, into: Buffer): number {
  try {
    return readSync(fd, into, 0, into.length, null);
  } catch {
    return 0;
  }
}

const value = (name: string) => stats.counters.get(name)?.value ?? 0;
const dropped = () => value("access_logs.file_access_log.logs_dropped");
const text = (path: string) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
};

describe("a log file", () => {
  it("writes when enough waits, or when it has waited long enough", async () => {
    const path = join(folder, "log");
    const file = logFile(path, { minBytes: 10, intervalMs: 20 });
    file.write("12345\n");
    file.write("67890\n");
    await vi.waitFor(() => expect(text(path)).toBe("12345\n67890\n"));
    expect(value("filesystem.flushed_by_timer")).toBe(0);
    file.write("a\n");
    await vi.waitFor(() => expect(text(path)).toBe("12345\n67890\na\n"));
    expect([value("filesystem.flushed_by_timer"), value("filesystem.write_buffered"), dropped()]).toEqual([1, 3, 0]);
    expect(stats.gauges.get("filesystem.write_total_buffered")?.value).toBe(0);
  });

  it("goes on in a new file after the old one was moved, and loses no line of either", async () => {
    const path = join(folder, "log");
    const file = logFile(path);
    const expected: string[] = [];
    for (let i = 0; i < 200; i++) {
      file.write(`${i}\n`);
      expected.push(`${i}\n`);
      if (i === 100) {
        await vi.waitFor(() => expect(text(path)).toContain("50\n"));
        renameSync(path, join(folder, "log.1"));
        file.reopen();
      }
    }
    await file.close();
    expect(text(join(folder, "log.1")) + text(path)).toBe(expected.join(""));
    expect(text(path)).toContain("199\n");
    expect(dropped()).toBe(0);
  });

  it("appends to what is there, and writes what waits when it is closed", async () => {
    const path = join(folder, "log");
    logFile(path).write("one\n");
    await files[0]?.close();
    logFile(path, { minBytes: 1_000_000, intervalMs: 60_000 }).write("two\n");
    await files[1]?.close();
    expect(text(path)).toBe("one\ntwo\n");
  });

  it("a path that cannot be opened costs lines, counted, and is tried again", async () => {
    const path = join(folder, "later", "log");
    const file = logFile(path);
    file.write("lost\n");
    await vi.waitFor(() => expect(dropped()).toBe(1));
    execFileSync("mkdir", [join(folder, "later")]);
    await vi.waitFor(() => {
      file.write("x\n");
      expect(text(path)).toContain("x\n");
    });
  });

  it.skipIf(process.platform !== "linux")("a full disk costs lines, counted, and nothing else", async () => {
    const file = logFile("/dev/full");
    file.write("one\n");
    await vi.waitFor(() => expect([dropped(), value("filesystem.write_failed")]).toEqual([1, 1]));
    file.write("two\n");
    await vi.waitFor(() => expect(dropped()).toBe(2));
  });

  it.skipIf(process.platform !== "linux")("a pipe that nobody reads is never waited for", async () => {
    const path = join(folder, "pipe");
    execFileSync("mkfifo", [path]);
    const file = logFile(path);
    // Nobody has it open: that is an error and no wait.
    file.write("unheard\n");
    await vi.waitFor(() => expect(dropped()).toBe(1));
    const reader = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const line = `${"y".repeat(1_023)}\n`;
    for (let i = 0; i < 2_000; i++) file.write(line);
    // The pipe takes 64 KiB, the buffer a MiB: the rest is lost, and the loop went on.
    await vi.waitFor(() => expect(dropped()).toBeGreaterThan(500));
    const before = dropped();
    const bytes = Buffer.alloc(1024 * 1024);
    let read = 0;
    await vi.waitFor(
      () => {
        read += available(reader, bytes);
        expect(read).toBe((2_001 - before) * line.length);
      },
      { timeout: 10_000, interval: 10 },
    );
    expect(dropped()).toBe(before);
    closeSync(reader);
  });

  it("bounds what waits", () => {
    const file = logFile(join(folder, "log"), { minBytes: 1e9, intervalMs: 60_000 });
    for (let i = 0; i < 1_100; i++) file.write("z".repeat(1_024));
    expect(dropped()).toBe(76);
  });
});
