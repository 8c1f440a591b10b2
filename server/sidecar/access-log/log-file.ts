import type { Clock } from "../../lib/clock.ts";
import type { Counter, Gauge, Stats } from "../stats.ts";
import { type LogTarget, openTarget } from "./log-target.ts";

export interface FlushOptions {
  /** A write is made when so much waits … */
  readonly minBytes: number;
  /** … or when something has waited so long. */
  readonly intervalMs: number;
}

/** As `--file-flush-min-size-kb`; Envoy's own interval is 10 s, which leaves whoever watches a log waiting. */
export const defaultFlush: FlushOptions = { minBytes: 64 * 1024, intervalMs: 1_000 };

/** Counts what no file has taken. */
export const droppedLines = "access_logs.file_access_log.logs_dropped";

/** Most that may wait for a slow disk or a full pipe before lines are shed. */
const maxWaitingBytes = 1024 * 1024;

interface LogFileIo {
  readonly stats: Stats;
  readonly clock: Clock;
  readonly flush: FlushOptions;
}

/**
 * A file that log lines are appended to. Lines are gathered and written together, one write at a time, by Node's threads: the loop never waits. What has no room,
 * or cannot be written (a full disk), is lost and counted; the next lines are tried again.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/stats
 */
export class LogFile {
  private readonly path: string;
  private readonly io: LogFileIo;
  private readonly counters: FileCounters;
  private target: LogTarget | undefined = undefined;
  private pending: string[] = [];
  private pendingBytes = 0;
  /** Being opened, written or closed. */
  private busy = false;
  private writing: Buffer | undefined = undefined;
  private writingLines = 0;
  private timer: { cancel(): void } | undefined = undefined;
  /** What waits is to be written. */
  private due = false;
  private reopens = false;
  private closing: (() => void) | undefined = undefined;

  constructor(path: string, io: LogFileIo) {
    this.path = path;
    this.io = io;
    this.counters = new FileCounters(io.stats);
    this.next();
  }

  write(line: string): void {
    const { counters, io } = this;
    const bytes = Buffer.byteLength(line);
    if (this.closing !== undefined || this.pendingBytes + (this.writing?.length ?? 0) + bytes > maxWaitingBytes) {
      counters.dropped.inc();
      return;
    }
    this.pending.push(line);
    this.pendingBytes += bytes;
    counters.buffered.inc();
    counters.totalBuffered.add(bytes);
    if (this.pendingBytes >= io.flush.minBytes) this.flush();
    else this.arm();
  }

  /** Writes what waits to the file as it is, and then goes on with the one that has its path by now. */
  reopen(): void {
    this.reopens = true;
    this.flush();
  }

  /** Writes what waits, within `timeoutMs`. */
  async close(timeoutMs = 1_000): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.io.clock.setTimeout(resolve, timeoutMs);
      this.closing = () => {
        timer.cancel();
        resolve();
      };
      this.flush();
    });
  }

  private arm(): void {
    this.timer ??= this.io.clock.setTimeout(() => {
      this.timer = undefined;
      this.counters.byTimer.inc();
      this.flush();
    }, this.io.flush.intervalMs);
  }

  private flush(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.due = true;
    this.next();
  }

  /** The next thing to do with the file, one after the other. */
  private next(): void {
    const { target } = this;
    if (this.busy) return;
    if (target === undefined) this.open(false);
    else if (this.writing !== undefined) this.put(target, this.writing);
    else if (this.due && this.pendingBytes > 0) this.put(target, this.take());
    else if (this.reopens || this.closing !== undefined) this.shut(target);
  }

  /** @param again another one was open before */
  private open(again: boolean): void {
    this.busy = true;
    openTarget(this.path, (error, target) => {
      this.busy = false;
      this.target = target;
      if (error !== null) {
        if (again) this.counters.reopenFailed.inc();
        this.shed();
      } else if (this.due) this.next();
    });
  }

  private take(): Buffer {
    const bytes = Buffer.from(this.pending.join(""));
    this.writing = bytes;
    this.writingLines = this.pending.length;
    this.pending = [];
    this.pendingBytes = 0;
    this.due = false;
    return bytes;
  }

  private put(target: LogTarget, bytes: Buffer): void {
    this.busy = true;
    target.write(bytes, (error, written) => {
      this.busy = false;
      // A pipe whose reader is slow has no room now: later again.
      if (error?.code === "EAGAIN" && this.closing === undefined) {
        this.arm();
        return;
      }
      if (error === null) this.wrote(bytes, written);
      else this.lose(bytes, error.code !== "EAGAIN");
      this.next();
    });
  }

  private wrote(bytes: Buffer, written: number): void {
    this.counters.totalBuffered.add(-written);
    this.writing = written < bytes.length ? bytes.subarray(written) : undefined;
    if (this.writing === undefined) this.counters.completed.inc();
  }

  private lose(bytes: Buffer, failed: boolean): void {
    if (failed) this.counters.failed.inc();
    this.counters.dropped.inc(this.writingLines);
    this.counters.totalBuffered.add(-bytes.length);
    this.writing = undefined;
  }

  private shut(target: LogTarget): void {
    this.busy = true;
    this.target = undefined;
    target.close(() => {
      this.busy = false;
      this.reopens = false;
      if (this.closing === undefined || this.pendingBytes > 0) this.open(true);
      else this.closing();
    });
  }

  /** There is no file to write to: what waits is lost, and the next lines try again. */
  private shed(): void {
    this.counters.dropped.inc(this.pending.length + (this.writing === undefined ? 0 : this.writingLines));
    this.counters.totalBuffered.add(-this.pendingBytes - (this.writing?.length ?? 0));
    this.pending = [];
    this.pendingBytes = 0;
    this.writing = undefined;
    this.due = false;
    this.reopens = false;
    this.closing?.();
  }
}

/** Of all files together, under Envoy's names. */
class FileCounters {
  readonly buffered: Counter;
  readonly completed: Counter;
  readonly byTimer: Counter;
  readonly failed: Counter;
  readonly reopenFailed: Counter;
  readonly totalBuffered: Gauge;
  readonly dropped: Counter;

  constructor(stats: Stats) {
    this.buffered = stats.counter("filesystem.write_buffered");
    this.completed = stats.counter("filesystem.write_completed");
    this.byTimer = stats.counter("filesystem.flushed_by_timer");
    this.failed = stats.counter("filesystem.write_failed");
    this.reopenFailed = stats.counter("filesystem.reopen_failed");
    this.totalBuffered = stats.gauge("filesystem.write_total_buffered");
    this.dropped = stats.counter(droppedLines);
  }
}
