"use client";
import { useLocale, useTranslations } from "use-intl";
import { type Exemplar, Exemplars } from "../../server/contract/index.ts";
import { getJson } from "../lib/api.ts";
import { traceHref } from "../lib/links.ts";
import { type Live, useLive } from "../lib/live.ts";
import { clockTime } from "../logs/clock-time.ts";
import { formatMs, quantityText } from "../ui/format.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import { SideSection } from "../ui/side-sheet.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import styles from "./traces.module.css";

/** By the parameters of `/api/logs`; what is undefined asks for nothing. */
export type ExemplarQuery = Readonly<Record<string, string | undefined>>;

export function useExemplars(query: ExemplarQuery, everyMs: number | null, enabled = true): Live<Exemplars> {
  const asked = Object.entries(query).flatMap(([name, value]) => (value ? [[name, value]] : []));
  const text = new URLSearchParams(asked).toString();
  return useLive({
    queryKey: ["exemplars", text],
    read: (signal) => getJson(Exemplars, `/api/exemplars?${text}`, signal),
    everyMs,
    enabled,
  });
}

/** The slowest and the failed requests of a node or a call, each with its trace; nothing while none was traced. */
export function ExemplarSection({ query }: { query: ExemplarQuery }) {
  const t = useTranslations("traces");
  const { slow = [], failed = [] } = useExemplars(query, 10_000).data ?? {};
  if (slow.length + failed.length === 0) return null;
  return (
    <SideSection>
      <div data-testid="exemplars">
        {failed.length > 0 && <ExemplarList title={t("exemplars-failed")} exemplars={failed.slice(0, 3)} />}
        {slow.length > 0 && <ExemplarList title={t("exemplars-slow")} exemplars={slow.slice(0, 3)} />}
      </div>
    </SideSection>
  );
}

export function ExemplarList({ title, exemplars }: { title: string; exemplars: readonly Exemplar[] }) {
  const locale = useLocale();
  const t = useTranslations("traces");
  return (
    <div className={styles.exemplars}>
      <h2>{title}</h2>
      <ul>
        {exemplars.map(({ traceId, at, durationMs, code, flags, method, path, version, failed }) => (
          <li key={traceId}>
            <ObjectLink href={traceHref(traceId)} data-testid="exemplar">
              <b className={`${styles.took} ${failed ? styles.bad : ""}`}>
                {quantityText(formatMs(durationMs, locale))}
              </b>
              <span className="mono">
                {method} {path}
              </span>
              {version && <VersionChip version={version} />}
              <span className={failed ? styles.bad : "muted"}>
                {code === 0 ? t("no-answer") : code} {flags.join(" ")}
              </span>
              <span className="num muted" suppressHydrationWarning>
                {clockTime(at, locale)}
              </span>
            </ObjectLink>
          </li>
        ))}
      </ul>
    </div>
  );
}
