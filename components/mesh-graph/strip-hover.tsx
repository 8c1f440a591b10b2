"use client";
import { useLocale, useTranslations } from "use-intl";
import { useChangeText } from "../config/change-text.ts";
import { formatMoment, formatRate, formatShare, quantityText } from "../ui/format.ts";
import type { StripMoment } from "./strip-moment.ts";
import styles from "./time-strip.module.css";

/** What is under the pointer: when, how much traffic and how much of it failed, and what was changed there. `at`: share of the width. */
export function StripHover({ moment, at }: { moment: StripMoment; at: number }) {
  const topology = useTranslations("topology");
  const ui = useTranslations("ui");
  const locale = useLocale();
  const said = useChangeText();
  const { requestRate, errorShare, changes } = moment;
  return (
    <i className={styles.hover} style={{ left: `${at * 100}%` }} aria-hidden="true" data-testid="strip-hover">
      <div className={styles.tip} data-side={at > 0.5 ? "left" : "right"}>
        <b>{formatMoment(moment.at, locale)}</b>
        <span>
          {requestRate === null
            ? ui("unrecorded-here")
            : `${quantityText(formatRate(requestRate, locale))} · ${topology("tip-errors", { errors: quantityText(formatShare(errorShare, locale)) })}`}
        </span>
        {changes.map((change) => (
          <span key={change.revision} data-kind={change.kind}>
            {said(change)}
          </span>
        ))}
      </div>
    </i>
  );
}
