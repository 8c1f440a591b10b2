"use client";
import { IconX } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import { useErrorText } from "../lib/error-text.ts";
import { traceHref } from "../lib/links.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import { Moment, NumberWithUnit } from "../ui/quantity.tsx";
import styles from "./topology.module.css";
import type { ShownTrace } from "./use-trace-on-graph.ts";

/** Which trace is drawn over the graph, the way to it, and the way out. */
export function TraceBar({ id, shown, onClose }: { id: string; shown: ShownTrace; onClose: () => void }) {
  const t = useTranslations("topology");
  const text = useErrorText();
  const { data, error } = shown.live;
  return (
    <div className={styles.trace} role="status" data-testid="trace-bar">
      <ObjectLink className="link" href={traceHref(id)}>
        {t("trace", { id: id.slice(0, 8) })}
      </ObjectLink>
      {data && (
        <span>
          <NumberWithUnit value={data.durationMs} kind="ms" /> · {t("trace-spans", { count: data.spans })} ·{" "}
          <Moment ms={data.startMs} />
        </span>
      )}
      {error && !data && <span>{text(error)}</span>}
      {data && shown.lit.size === 0 && <span>{t("trace-elsewhere")}</span>}
      <button type="button" onClick={onClose} aria-label={t("trace-close")}>
        <IconX size={14} aria-hidden />
      </button>
    </div>
  );
}
