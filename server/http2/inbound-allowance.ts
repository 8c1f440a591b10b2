import type { Http2Options } from "./options.ts";

/** Frames that carry nothing for a request are allowed in proportion to those that do: Envoy's rule, with its numbers. */
export class InboundAllowance {
  /** HEADERS read. */
  streams = 0;
  /** DATA frames written. */
  dataFramesSent = 0;
  private readonly options: Http2Options;
  private priorityFrames = 0;
  private windowUpdates = 0;
  private pings = 0;
  private pingsSince = 0;
  /** Requests read and DATA written at the last PING. */
  private workAtPing = 0;

  constructor(options: Http2Options) {
    this.options = options;
  }

  /** @returns false: too many (CVE-2019-9513) */
  takePriority(): boolean {
    return ++this.priorityFrames <= this.options.maxPriorityFramesPerStream * (1 + this.streams);
  }

  /** @returns false: too many */
  takeWindowUpdate(): boolean {
    const { maxWindowUpdatesPerDataFrame: perFrame } = this.options;
    return ++this.windowUpdates <= 5 + 2 * (this.streams + perFrame * this.dataFramesSent);
  }

  /**
   * One that follows work is how gRPC clients measure the way (Go's sends one for every answer), and is not counted.
   * @param now monotonic ms
   * @returns false: too many in this second (CVE-2019-9512)
   */
  takePing(now: number): boolean {
    const { maxPingsPerSecond } = this.options;
    if (maxPingsPerSecond === 0) return true;
    const work = this.streams + this.dataFramesSent;
    const follows = work !== this.workAtPing;
    this.workAtPing = work;
    if (follows) return true;
    if (now - this.pingsSince >= 1000) {
      this.pingsSince = now;
      this.pings = 0;
    }
    return ++this.pings <= maxPingsPerSecond;
  }
}
