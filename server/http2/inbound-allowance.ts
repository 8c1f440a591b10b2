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
}
