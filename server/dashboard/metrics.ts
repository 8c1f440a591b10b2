import { z } from "zod";
import {
  DashboardError,
  type MetricCatalog,
  MetricFunction,
  type MetricResult,
  type OutboundMetrics,
  type Saturation,
  told,
  windowField,
} from "../contract/index.ts";
import { remember, rememberEach } from "../lib/remember.ts";
import type { Queries } from "../query/queries.ts";
import { parse } from "./parse.ts";

type Asked = Readonly<Record<string, string>>;

export const Window = z.object({ window: windowField(60) });
/** Unix milliseconds; left out, a window ends now. */
export const At = z.object({ at: z.coerce.number().int().min(0).optional() });

const text = z.string().min(1).max(1024);
const list = z
  .string()
  .max(2048)
  .transform((joined) => joined.split(",").filter(Boolean))
  .pipe(z.array(text).max(8));

/** `instance=a,b`; a value may have a comma only where it is the last. */
const Where = list.pipe(
  z
    .array(z.string().regex(/^[^=]+=/, "must be label=value"))
    .transform((pairs) =>
      Object.fromEntries(pairs.map((pair) => [pair.split("=", 1)[0], pair.slice(pair.indexOf("=") + 1)])),
    ),
);

const MetricQuery = Window.extend(At.shape).extend({
  name: text,
  fn: MetricFunction.optional(),
  by: list.default([]),
  service: text.optional(),
  instance: text.optional(),
  where: Where.optional(),
  step: z.coerce.number().int().min(10).max(86_400).optional(),
});

const Outbound = Window.extend(At.shape).extend({ namespace: text, app: text, workload: text.optional() });

/** Metrics that proxies, processes and applications sent. All reject with INVALID where the query is wrong. */
export function createMetrics(
  queries: () => Promise<Pick<Queries, "metricCatalog" | "metricGroups" | "saturation" | "outbound">>,
) {
  const full = rememberEach(async (at: number | undefined) => (await queries()).saturation({ at }), {
    ms: 2000,
    maxKeys: 16,
    keyOf: String,
  });
  return {
    metricCatalog: remember(async (): Promise<MetricCatalog> => (await queries()).metricCatalog(), 2000),
    async metricQuery(query: Asked): Promise<MetricResult> {
      const asked = parse(MetricQuery, query);
      const found = await (await queries()).metricGroups(asked);
      if (found) return found;
      throw new DashboardError({ code: "NOT_FOUND", ...told("no-metric", { name: asked.name }) });
    },
    outbound: async (query: Asked): Promise<OutboundMetrics> => (await queries()).outbound(parse(Outbound, query)),
    saturation: async (query: Asked): Promise<Saturation> => full(parse(At, query).at),
  };
}
