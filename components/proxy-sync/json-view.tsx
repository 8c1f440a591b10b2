"use client";
import { useElementSize } from "@mantine/hooks";
import { IconCheck, IconChevronDown, IconChevronUp, IconCopy } from "@tabler/icons-react";
import { type KeyboardEvent, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { PillButton } from "../ui/pill.tsx";
import { findRows, firstFolded, type JsonRow, jsonRows } from "./json-rows.ts";
import styles from "./json-view.module.css";

const rowHeight = 20;

/** JSON to read: folds, search, copy. Only the rows in sight are in the page, so that a large one does not freeze it. */
export function JsonView({ value, label }: { value: unknown; label: string }) {
  const t = useTranslations("proxies");
  const [folded, setFolded] = useState<ReadonlySet<string>>(() => firstFolded(value));
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const scroller = useRef<HTMLDivElement | null>(null);
  const rows = useMemo(() => jsonRows(value, folded), [value, folded]);
  // A search looks through what is folded as well, and unfolds it.
  // Writing comes first: over a large value the search follows when there is time.
  const wanted = useDeferredValue(text);
  const found = useMemo(() => findRows(rows, wanted), [rows, wanted]);
  const first = found[0];
  useEffect(() => {
    if (wanted !== "" && first !== undefined) scroller.current?.scrollTo({ top: first * rowHeight - 80 });
  }, [wanted, first]);
  const go = (step: number) => {
    if (found.length === 0) return;
    const next = (at + step + found.length) % found.length;
    setAt(next);
    scroller.current?.scrollTo({ top: Math.max(0, (found[next] ?? 0) * rowHeight - 80) });
  };
  const search = (next: string) => {
    setText(next);
    setAt(0);
    if (next !== "" && folded.size > 0) setFolded(new Set());
  };
  const toggle = (path: string) =>
    setFolded((known) => {
      const next = new Set(known);
      if (!next.delete(path)) next.add(path);
      return next;
    });
  return (
    <div className={styles.view}>
      <div className={styles.tools}>
        <input
          type="search"
          className={styles.search}
          placeholder={t("json-search")}
          aria-label={t("json-search")}
          value={text}
          onChange={(event) => search(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && go(event.shiftKey ? -1 : 1)}
          data-testid="json-search"
        />
        {text && (
          <span className={styles.count} role="status">
            {found.length === 0 ? t("json-none") : `${at + 1} / ${found.length}`}
          </span>
        )}
        {found.length > 1 && (
          <>
            <PillButton onClick={() => go(-1)} aria-label={t("json-previous")}>
              <IconChevronUp size={13} aria-hidden />
            </PillButton>
            <PillButton onClick={() => go(1)} aria-label={t("json-next")}>
              <IconChevronDown size={13} aria-hidden />
            </PillButton>
          </>
        )}
        <CopyButton value={value} />
      </div>
      <Rows rows={rows} marked={found[at]} found={found} onToggle={toggle} scroller={scroller} label={label} />
    </div>
  );
}

interface RowsProps {
  rows: readonly JsonRow[];
  found: readonly number[];
  marked: number | undefined;
  onToggle: (path: string) => void;
  scroller: { current: HTMLDivElement | null };
  label: string;
}

function Rows({ rows, found, marked, onToggle, scroller, label }: RowsProps) {
  const { ref, height } = useElementSize<HTMLDivElement>();
  const [top, setTop] = useState(0);
  const first = Math.max(0, Math.floor(top / rowHeight) - 10);
  const last = Math.min(rows.length, first + Math.ceil((height || 600) / rowHeight) + 20);
  const lit = useMemo(() => new Set(found), [found]);
  const attach = (element: HTMLDivElement | null) => {
    scroller.current = element;
    return ref(element);
  };
  return (
    <section
      className={styles.frame}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
      tabIndex={0}
      ref={attach}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
    >
      <div style={{ height: rows.length * rowHeight }} className={styles.all}>
        {rows.slice(first, last).map((row, i) => (
          <Row
            key={row.path}
            row={row}
            top={(first + i) * rowHeight}
            state={first + i === marked ? "marked" : lit.has(first + i) ? "found" : undefined}
            onToggle={onToggle}
          />
        ))}
      </div>
    </section>
  );
}

function Row({
  row,
  top,
  state,
  onToggle,
}: {
  row: JsonRow;
  top: number;
  state: "marked" | "found" | undefined;
  onToggle: (path: string) => void;
}) {
  const t = useTranslations("proxies");
  const { key, kind, text, folded, depth, path } = row;
  const foldable = kind === "open" && (folded === null || folded.count > 0);
  const onKeyDown = (event: KeyboardEvent) => {
    if ((event.key === "ArrowLeft") === (folded === null) && /^Arrow(Left|Right)$/.test(event.key)) onToggle(path);
  };
  return (
    <div className={styles.row} style={{ top, paddingLeft: depth * 16 + 22 }} data-state={state}>
      {foldable && (
        <button
          type="button"
          className={styles.fold}
          style={{ left: depth * 16 + 4 }}
          aria-expanded={folded === null}
          aria-label={t("json-fold", { key: key ?? text })}
          onClick={() => onToggle(path)}
          onKeyDown={onKeyDown}
        >
          {folded === null ? "▾" : "▸"}
        </button>
      )}
      {key !== null && <span className={styles.key}>{key}: </span>}
      <span className={styles[kind]}>{text}</span>
      {folded !== null && (
        <span className={styles.folded}>
          {folded.count > 0 && ` ${t("json-count", { count: folded.count })} `}
          {folded.close}
        </span>
      )}
    </div>
  );
}

function CopyButton({ value }: { value: unknown }) {
  const t = useTranslations("proxies");
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
    await navigator.clipboard.writeText(text).catch(() => undefined);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  const Icon = copied ? IconCheck : IconCopy;
  return (
    <PillButton onClick={() => void copy()} data-testid="json-copy">
      <Icon size={13} aria-hidden />
      {copied ? t("copied") : t("copy")}
    </PillButton>
  );
}
