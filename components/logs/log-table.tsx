"use client";
import { Fragment, memo, useCallback } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { LogEntry, LogPeer } from "../../server/contract/index.ts";
import { useUrlState } from "../lib/url-state.ts";
import { isKnownFlag } from "../mesh-graph/flag-words.ts";
import { formatMs, quantityText } from "../ui/format.ts";
import { VersionChip } from "../ui/version-chip.tsx";
import { clockTime } from "./clock-time.ts";
import { LogDetails } from "./log-details.tsx";
import { peerName, toneOf } from "./log-words.ts";
import styles from "./logs.module.css";

const columns = ["time", "peers", "request", "code", "duration", "flags"] as const;

export interface LogTableProps {
  entries: readonly LogEntry[];
  /** Id of the line whose fields are shown. */
  opened: string | null;
  /** The pointer came, or went: rows must not move under it. */
  onPoint: (inside: boolean) => void;
}

/** One line a request; on a phone a list. A press shows all that is known of it. */
export function LogTable({ entries, opened, onPoint }: LogTableProps) {
  const t = useTranslations("logs");
  const { set } = useUrlState();
  const toggle = useCallback((id: string, isOpen: boolean) => set({ open: isOpen ? null : id }, "push"), [set]);
  return (
    <div className={styles.scroll}>
      <table className={styles.table} data-testid="logs-table">
        <caption className="visually-hidden">{t("requests")}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className={column === "duration" ? styles.right : undefined}>
                {t(`col-${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody
          onPointerEnter={({ pointerType }) => pointerType === "mouse" && onPoint(true)}
          onPointerLeave={() => onPoint(false)}
        >
          {entries.map((entry) => (
            <LogRow key={entry.id} entry={entry} isOpen={opened === String(entry.id)} onToggle={toggle} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface LogRowProps {
  entry: LogEntry;
  isOpen: boolean;
  onToggle: (id: string, isOpen: boolean) => void;
}

const LogRow = memo(function LogRow({ entry, isOpen, onToggle }: LogRowProps) {
  const t = useTranslations("logs");
  const locale = useLocale();
  const toggle = () => onToggle(String(entry.id), isOpen);
  const details = `log-${entry.id}`;
  return (
    <Fragment>
      <tr
        className={styles.row}
        data-testid="log-row"
        data-log={entry.id}
        data-selected={isOpen || undefined}
        onClick={({ target }) => (target instanceof Element && target.closest("a, button")) || toggle()}
      >
        <td data-cell="time">
          <button
            type="button"
            className={`num ${styles.time}`}
            aria-expanded={isOpen}
            aria-controls={isOpen ? details : undefined}
            aria-label={t("row", { time: clockTime(entry.at, locale), request: `${entry.method} ${entry.path}` })}
            onClick={toggle}
            suppressHydrationWarning
          >
            {clockTime(entry.at, locale)}
          </button>
        </td>
        <td data-cell="peers">
          <Peer peer={entry.source} /> <span className="muted">→</span>{" "}
          <Peer peer={entry.destination} otherwise={entry.service} />
          {/* Both ends tell of a call: without it every second line looks like the one before. */}
          <abbr className={styles.told} title={t(`direction-${entry.direction}`)}>
            {t(`told-${entry.direction}`)}
          </abbr>
        </td>
        <td data-cell="request" className="mono" title={entry.path}>
          {entry.protocol === "tcp" ? <span className="muted">tcp</span> : <Request entry={entry} />}
        </td>
        <td data-cell="code">
          <Code entry={entry} />
        </td>
        <td data-cell="duration" className={`num ${styles.right}`}>
          {quantityText(formatMs(entry.durationMs, locale))}
        </td>
        <td data-cell="flags">
          <Flags flags={entry.flags} />
        </td>
      </tr>
      {isOpen && (
        <tr className={styles.opened} id={details} data-testid="log-details">
          <td colSpan={columns.length}>
            <LogDetails entry={entry} />
          </td>
        </tr>
      )}
    </Fragment>
  );
});

const Request = ({ entry }: { entry: LogEntry }) => (
  <>
    <span className="muted">{entry.method}</span> {entry.path}
  </>
);

/** A workload and its version; where nothing was reached, what was called. */
export function Peer({ peer, otherwise }: { peer: LogPeer; otherwise?: string }) {
  const t = useTranslations("logs");
  const name = peerName(peer) || otherwise;
  if (!name) return <span className="muted">{t("unknown")}</span>;
  return (
    <span className={styles.peer}>
      {name}
      {peer.version && <VersionChip version={peer.version} />}
    </span>
  );
}

/** The status; of gRPC its own beside it. */
export function Code({ entry }: { entry: LogEntry }) {
  const t = useTranslations("logs");
  const { code, grpcStatus, protocol } = entry;
  if (protocol === "tcp") return <span className="muted">–</span>;
  return (
    <span className={`num ${styles.code}`} data-tone={toneOf(entry)}>
      {code === 0 ? t("code-none") : code}
      {grpcStatus !== null && ` (${grpcStatus})`}
    </span>
  );
}

function Flags({ flags }: { flags: readonly string[] }) {
  const t = useTranslations("flags");
  const title = (flag: string) => (isKnownFlag(flag) ? `${t(`means-${flag}`)}. ${t(`advice-${flag}`)}` : undefined);
  return flags.map((flag) => (
    <abbr key={flag} className={`mono ${styles.flag}`} title={title(flag)}>
      {flag}
    </abbr>
  ));
}
