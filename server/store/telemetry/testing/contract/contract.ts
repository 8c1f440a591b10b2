import { afterEach, beforeEach, describe } from "vitest";
import type { TelemetryReader } from "../../../../query/reader.ts";
import type { TelemetryStore } from "../../../../telemetry/store.ts";
import { accessLogContract } from "./access-log.ts";
import { collectorContract } from "./collector.ts";
import { compactionContract } from "./compaction.ts";
import { logContract } from "./log.ts";
import { metricContract } from "./metric.ts";
import { rollupContract } from "./rollup.ts";
import { spanContract } from "./span.ts";

export interface Opened {
  store: TelemetryStore;
  reader: TelemetryReader;
  cleanUp(): Promise<void>;
}

/** What every telemetry store keeps to, written on one side and read on the other. */
export function telemetryStoreContract(name: string, open: () => Promise<Opened>): void {
  describe(`${name} telemetry store`, () => {
    let opened: Opened;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.cleanUp());
    rollupContract(() => opened);
    compactionContract(() => opened);
    collectorContract(() => opened);
    accessLogContract(() => opened);
    spanContract(() => opened);
    logContract(() => opened);
    metricContract(() => opened);
  });
}
