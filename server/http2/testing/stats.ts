import { Counter } from "../../sidecar/stats.ts";
import { type Http2Stats, http2CodecStats } from "../http2-stats.ts";

export const newHttp2Stats = (): Http2Stats => ({
  ...http2CodecStats(() => new Counter()),
  cxDrainClose: new Counter(),
  cxIdleTimeout: new Counter(),
  cxProtocolError: new Counter(),
  prematureResets: new Counter(),
  rxBytes: new Counter(),
  txBytes: new Counter(),
});

export const countsOf = (stats: Http2Stats): Record<keyof Http2Stats, number> =>
  Object.fromEntries(Object.entries(stats).map(([name, { value }]) => [name, value])) as Record<
    keyof Http2Stats,
    number
  >;
