"use client";
import { type CSSProperties, type KeyboardEvent, useRef, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { LatencyHeatmap } from "../../server/contract/index.ts";
import { getJson } from "../lib/api.ts";
import { useLive } from "../lib/live.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { formatMoment, formatMs, quantityText } from "../ui/format.ts";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { GapHatching } from "../ui/unrecorded.tsx";
import { ExemplarList, useExemplars } from "./exemplar-list.tsx";
import styles from "./heatmap.module.css";
import { type CellRange, cellText, levelOf, neighbour, parseCell, rangeOf, sinceRecorded } from "./heatmap-cells.ts";

/** How many requests took how long, over time: of a service by its hostname, else of what enters the mesh. A cell leads to its slow and failed traces. */
export function Heatmap({ service, range }: { service: string | undefined; range: TimeRange }) {
  const t = useTranslations("traces");
  const url = useUrlState();
  const query = new URLSearchParams({
    window: String(range.windowSec),
    ...(range.at !== null && { to: String(range.at) }),
    ...(service !== undefined && { service }),
  }).toString();
  const chosen = parseCell(url.get("cell"));
  const live = useLive({
    queryKey: ["latency", query],
    read: (signal) => getJson(LatencyHeatmap, `/api/latency?${query}`, signal),
    // What is looked into stands still.
    everyMs: chosen === null && range.at === null ? 5000 : null,
  });
  return (
    <div className={styles.place}>
      <LiveContent live={live} unreadable={t("heat-unreadable")} skeleton={<SkeletonBlock height={plotHeight} />}>
        {(map) =>
          map.cells.length === 0 ? (
            <EmptyState title={t("heat-empty")}>{t("heat-empty-text")}</EmptyState>
          ) : (
            <>
              <Cells
                map={sinceRecorded(map)}
                chosen={chosen}
                onChoose={(range) => url.set({ cell: range && cellText(range) })}
              />
              {chosen ? <InCell range={chosen} service={service} /> : <p className={styles.hint}>{t("heat-hint")}</p>}
            </>
          )
        }
      </LiveContent>
    </div>
  );
}

/** Of the cells alone; see the style sheet. */
const plotHeight = 190;

interface CellsProps {
  map: LatencyHeatmap;
  chosen: CellRange | null;
  onChoose: (range: CellRange | null) => void;
}

function Cells({ map, chosen, onChoose }: CellsProps) {
  const t = useTranslations("traces");
  const locale = useLocale();
  const plot = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<string | null>(null);
  const { cells, boundsMs, leastMs, steps, fromMs, stepSec } = map;
  const most = Math.max(...cells.map(({ count }) => count));
  const keyOf = ({ step, row }: (typeof cells)[number]) => `${step} ${row}`;
  const current = cells.find((cell) => keyOf(cell) === at) ?? cells.at(-1);
  const ms = (value: number) => quantityText(formatMs(value, locale));
  const chosenText = chosen && cellText(chosen);
  const onKeyDown = (event: KeyboardEvent) => {
    const next = current && neighbour(cells, current, event.key);
    if (!next || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    setAt(keyOf(next));
    plot.current?.querySelector<HTMLElement>(`[data-cell="${keyOf(next)}"]`)?.focus();
  };
  return (
    <figure className={styles.heatmap} data-testid="heatmap">
      <figcaption className="visually-hidden">{t("heat-caption")}</figcaption>
      <div className={styles.bounds} aria-hidden>
        {[leastMs, ...boundsMs].map((bound, row) =>
          row % Math.ceil((boundsMs.length + 1) / 7) === 0 ? (
            <span key={bound} style={{ bottom: `${(row / boundsMs.length) * 100}%` }}>
              {ms(bound)}
            </span>
          ) : null,
        )}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset would draw a frame of its own */}
      <div ref={plot} className={styles.plot} role="group" aria-label={t("heat-caption")} onKeyDown={onKeyDown}>
        <GapHatching fromMs={fromMs} toMs={fromMs + steps * stepSec * 1000} gaps={map.gaps} />
        {cells.map((cell) => {
          const range = rangeOf(map, cell);
          const text = cellText(range);
          const key = keyOf(cell);
          const name = t("heat-cell", {
            time: formatMoment(range.fromMs, locale),
            from: ms(range.minMs),
            to: range.maxMs === null ? "∞" : ms(range.maxMs),
            count: cell.count,
            errors: cell.errors,
          });
          return (
            <button
              key={key}
              type="button"
              data-cell={key}
              data-failed={cell.errors > 0 || undefined}
              aria-pressed={text === chosenText}
              aria-label={name}
              title={name}
              tabIndex={current && keyOf(current) === key ? 0 : -1}
              className={styles.cell}
              style={
                {
                  left: `${(cell.step / steps) * 100}%`,
                  width: `${100 / steps}%`,
                  bottom: `${(cell.row / boundsMs.length) * 100}%`,
                  height: `${100 / boundsMs.length}%`,
                  "--level": `${Math.round(levelOf(cell.count, most) * 100)}%`,
                } as CSSProperties
              }
              onFocus={() => setAt(key)}
              onClick={() => onChoose(text === chosenText ? null : range)}
            />
          );
        })}
      </div>
      <div className={styles.times} aria-hidden suppressHydrationWarning>
        <span suppressHydrationWarning>{formatMoment(fromMs, locale)}</span>
        <span className={styles.legend}>{t("heat-legend")}</span>
        <span suppressHydrationWarning>{formatMoment(fromMs + steps * stepSec * 1000, locale)}</span>
      </div>
    </figure>
  );
}

/** The requests of one cell that have a trace. */
function InCell({ range, service }: { range: CellRange; service: string | undefined }) {
  const t = useTranslations("traces");
  const { fromMs, toMs, minMs, maxMs } = range;
  const live = useExemplars(
    {
      service,
      from: String(fromMs),
      to: String(toMs),
      min: String(minMs),
      max: maxMs === null ? undefined : String(maxMs),
    },
    null,
  );
  return (
    <div className={styles.in} data-testid="heat-exemplars">
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={60} />}>
        {({ slow, failed }) =>
          slow.length + failed.length === 0 ? (
            <p className={styles.hint}>{t("heat-none")}</p>
          ) : (
            <>
              {failed.length > 0 && <ExemplarList title={t("exemplars-failed")} exemplars={failed} />}
              {slow.length > 0 && <ExemplarList title={t("exemplars-slow")} exemplars={slow} />}
            </>
          )
        }
      </LiveContent>
    </div>
  );
}
