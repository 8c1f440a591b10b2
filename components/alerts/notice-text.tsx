"use client";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Notice } from "../../server/contract/index.ts";
import { proxyHref, serviceHref } from "../lib/links.ts";
import { formatMs, formatRate, formatShare, type Quantity, quantityText } from "../ui/format.ts";
import { ObjectLink } from "../ui/object-link.tsx";

/** What a notice says, in the reader's language. */
export function useNoticeText(): (notice: Pick<Notice, "measure" | "value" | "limit">, value?: number) => string {
  const t = useTranslations("alerts");
  const locale = useLocale();
  const moment = (ms: number) =>
    new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" }).format(ms);
  return ({ measure, value: told, limit }, value = told) => {
    if (measure === "proxy-disconnected") return value === 0 ? t("proxy-never") : t(measure, { since: moment(value) });
    if (measure === "proxy-refused" || measure === "proxy-lagging") return t(measure);
    if (measure === "certificate") return t(measure, { ends: moment(value) });
    const shown = (of: number) => quantityText(inUnit(measure, of, locale));
    return t(wordOf(measure), { value: shown(value), limit: shown(limit), percentile: percentileOf(measure) });
  };
}

type Measure = Notice["measure"];
type Measured = Exclude<Measure, `proxy-${string}` | "certificate">;

function inUnit(measure: Measured, value: number, locale: string): Quantity {
  if (measure.includes("latency")) return formatMs(value, locale);
  return measure.startsWith("rate-") ? formatRate(value, locale) : formatShare(value / 100, locale);
}

const isLatency = (measure: Measured): measure is Extract<Measured, `latency-${string}`> =>
  measure.startsWith("latency-");
const words = {
  errors: "errors",
  "health-errors": "health-errors",
  "health-client-errors": "health-client-errors",
  "health-latency": "latency",
  "rate-above": "rate-above",
  "rate-below": "rate-below",
} as const;
const wordOf = (measure: Measured) => (isLatency(measure) ? "latency" : words[measure]);
const percentileOf = (measure: Measured): string => (isLatency(measure) ? measure.slice("latency-".length) : "p95");

/** Whom it is about, and where that is looked at closer. */
export function Subject({ subject: { kind, namespace, name, id } }: Pick<Notice, "subject">): ReactNode {
  const href = kind === "service" ? serviceHref({ namespace, hostname: id }) : proxyHref(id);
  return (
    <>
      <ObjectLink className="link" href={href}>
        {name}
      </ObjectLink>{" "}
      <span className="muted">{namespace}</span>
    </>
  );
}
