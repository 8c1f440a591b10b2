"use client";
import { IconChevronDown, IconChevronRight, IconClockExclamation } from "@tabler/icons-react";
import { type CSSProperties, type KeyboardEvent, useRef, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { isClockApart, type Stretch, type Trace, type TraceSpan } from "../../server/contract/index.ts";
import { formatMs, quantityText } from "../ui/format.ts";
import { VersionChip } from "../ui/version-chip.tsx";
import { versionColor } from "../ui/version-color.ts";
import type { LogMark } from "./log-marks.ts";
import styles from "./waterfall.module.css";
import { stepFor, visibleRows } from "./waterfall-rows.ts";

export interface WaterfallProps {
  trace: Trace;
  /** The span whose details are shown. */
  opened: string | null;
  onOpen: (id: string) => void;
  /** What applications wrote, by span. */
  marks: ReadonlyMap<string, readonly LogMark[]>;
}

/** A trace's spans over time: who called whom, what the end waited for, and where nothing ran. */
export function Waterfall({ trace, opened, onOpen, marks }: WaterfallProps) {
  const t = useTranslations("traces");
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [at, setAt] = useState(opened);
  const tree = useRef<HTMLDivElement>(null);
  const rows = visibleRows(trace.tree, folded);
  const index = Math.max(
    0,
    rows.findIndex(({ id }) => id === at),
  );
  const fold = (id: string, on: boolean) =>
    setFolded((before) => new Set(on ? [...before, id] : [...before].filter((one) => one !== id)));
  const focus = (id: string) => {
    setAt(id);
    tree.current?.querySelector<HTMLElement>(`[data-span="${CSS.escape(id)}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const row = rows[index];
    if (event.ctrlKey || event.metaKey || event.altKey || !row) return;
    const opens = event.key === "Enter" || event.key === " ";
    const step = opens ? null : stepFor(event.key, rows, index, folded);
    if (!opens && !step) return;
    event.preventDefault();
    if (opens) onOpen(row.id);
    else if (step && "to" in step) focus(step.to);
    else if (step && "fold" in step) fold(step.fold, true);
    else if (step && "unfold" in step) fold(step.unfold, false);
  };
  return (
    <div className={styles.waterfall}>
      <Scale durationMs={trace.durationMs} />
      <div ref={tree} role="tree" aria-label={t("waterfall")} onKeyDown={onKeyDown} data-testid="waterfall">
        {rows.map((span, place) => (
          <Row
            key={span.id}
            span={span}
            totalUs={Math.max(1, trace.durationMs * 1000)}
            folded={folded.has(span.id)}
            focusable={place === index}
            selected={span.id === opened}
            marks={marks.get(span.id) ?? noMarks}
            onFold={(on) => fold(span.id, on)}
            onPress={() => {
              setAt(span.id);
              onOpen(span.id);
            }}
          />
        ))}
      </div>
    </div>
  );
}

function Scale({ durationMs }: { durationMs: number }) {
  const locale = useLocale();
  return (
    <div className={styles.scale} aria-hidden>
      <span />
      <div>
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <span key={share}>{quantityText(formatMs(durationMs * share, locale))}</span>
        ))}
      </div>
    </div>
  );
}

interface RowProps {
  span: TraceSpan;
  totalUs: number;
  folded: boolean;
  focusable: boolean;
  selected: boolean;
  marks: readonly LogMark[];
  onFold: (on: boolean) => void;
  onPress: () => void;
}

function Row({ span, totalUs, folded, focusable, selected, marks, onFold, onPress }: RowProps) {
  const t = useTranslations("traces");
  const locale = useLocale();
  const ms = (us: number) => quantityText(formatMs(us / 1000, locale));
  const opens = span.descendants > 0;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree around it has the keys
    <div
      role="treeitem"
      aria-level={span.depth + 1}
      aria-expanded={opens ? !folded : undefined}
      aria-selected={selected}
      aria-label={[
        rowWords(span, folded) || t("missing"),
        ms(span.durationUs),
        span.error && t("failed"),
        marks.length > 0 && t("log-lines", { count: marks.length }),
      ]
        .filter(Boolean)
        .join(", ")}
      tabIndex={focusable ? 0 : -1}
      className={styles.row}
      data-span={span.id}
      data-service={span.service}
      onClick={onPress}
    >
      <span className={styles.name} style={{ "--depth": Math.min(span.depth, 24) } as CSSProperties}>
        {opens ? (
          <span
            className={styles.fold}
            aria-hidden
            onClick={(event) => {
              event.stopPropagation();
              onFold(!folded);
            }}
          >
            {folded ? <IconChevronRight size={13} /> : <IconChevronDown size={13} />}
          </span>
        ) : (
          <span className={styles.fold} />
        )}
        {span.error && <i className={styles.failed} title={t("failed")} />}
        <Words span={span} />
        {isClockApart(span) && (
          <IconClockExclamation
            size={14}
            className={styles.skew}
            aria-label={t("skew", { by: ms(span.skewUs) })}
            role="img"
          />
        )}
        {folded && <span className="muted">+{span.descendants}</span>}
      </span>
      <Bar span={span} totalUs={totalUs} marks={marks} text={ms(span.durationUs)} />
    </div>
  );
}

/** What is to be read in a row, in its order; empty for a span that nobody sent. */
const rowWords = ({ missing, service, version, name, descendants }: TraceSpan, folded: boolean): string =>
  missing
    ? ""
    : [service, version !== "latest" && version, name, folded && `+${descendants}`].filter(Boolean).join(" ");

function Words({ span }: { span: TraceSpan }) {
  const t = useTranslations("traces");
  if (span.missing) return <em className={styles.words}>{t("missing")}</em>;
  return (
    <span className={styles.words} title={`${span.service} · ${span.name}`}>
      <b>{span.service}</b> {span.version && <VersionChip version={span.version} />} <span>{span.name}</span>
    </span>
  );
}

/** Its whole time pale, what the trace's end waited for in full; hatched where none of its children ran. */
function Bar({ span, totalUs, marks, text }: Pick<RowProps, "span" | "totalUs" | "marks"> & { text: string }) {
  const place = ([from, to]: Stretch): CSSProperties => ({
    left: `${(from / totalUs) * 100}%`,
    width: `${(Math.max(0, to - from) / totalUs) * 100}%`,
  });
  const end = span.startUs + span.durationUs;
  const before = end / totalUs > 0.8 && span.startUs / totalUs > 0.2;
  return (
    <span
      className={styles.track}
      style={{ "--c": span.error ? "var(--bad)" : versionColor(span.version) } as CSSProperties}
      data-missing={span.missing || undefined}
      aria-hidden
    >
      <i className={styles.bar} style={place([span.startUs, end])} />
      {span.critical.map((part) => (
        <i key={part[0]} className={styles.critical} style={place(part)} />
      ))}
      {span.gaps.map((part) => (
        <i key={part[0]} className={styles.gap} style={place(part)} />
      ))}
      {marks.map(({ id, atUs, severity, body }) => (
        <i
          key={id}
          className={styles.mark}
          data-tone={severity >= 17 ? "bad" : severity >= 13 ? "warn" : undefined}
          style={{ left: `${Math.min(100, Math.max(0, (atUs / totalUs) * 100))}%` }}
          title={body}
          data-testid="log-mark"
        />
      ))}
      <small
        className={styles.time}
        style={
          before
            ? { right: `calc(${100 - (span.startUs / totalUs) * 100}% + 2px)` }
            : { left: `min(calc(${(end / totalUs) * 100}% + 2px), 100% - 60px)` }
        }
      >
        {text}
      </small>
    </span>
  );
}

const noMarks: readonly LogMark[] = [];

/** What the bars' parts say. */
export function WaterfallLegend() {
  const t = useTranslations("traces");
  return (
    <p className={styles.legend}>
      <span>
        <i className={styles.keyCritical} /> {t("critical")}
      </span>
      <span>
        <i className={styles.keyBar} /> {t("beside")}
      </span>
      <span>
        <i className={styles.keyGap} /> {t("gap")}
      </span>
      <span>
        <i className={styles.keyMark} /> {t("log-line")}
      </span>
      <span>
        <IconClockExclamation size={13} aria-hidden /> {t("skewed")}
      </span>
      <span className={styles.keys}>{t("keys")}</span>
    </p>
  );
}
