"use client";
import { Tooltip } from "@mantine/core";
import { useLocale, useTranslations } from "use-intl";
import { type Health, healthCause, type Signals } from "../../server/contract/index.ts";
import { formatMs, formatShare, quantityText } from "../ui/format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import styles from "./health-reason.module.css";

/** Why it has the health that it has, in words. */
export function useHealthReason(): (signals: Signals) => string {
  const t = useTranslations("services");
  const locale = useLocale();
  const ms = (value: number) => quantityText(formatMs(value, locale));
  const percent = (share: number) => quantityText(formatShare(share, locale));
  return (signals) => {
    if (signals.requestRate === 0) return t("health-idle");
    const cause = healthCause(signals);
    if (!cause) return t("health-healthy");
    const { by, health, value, threshold } = cause;
    const say = by === "latencyMsP95" ? ms : percent;
    return t(`health-${by}`, { share: say(value), threshold: say(threshold), level: health });
  };
}

/** The mark of health, with its reason on hover, focus and touch. */
export function HealthReason({ health, signals }: { health: Health; signals: Signals }) {
  const reason = useHealthReason()(signals);
  const name = useTranslations("ui.health")(health);
  return (
    <Tooltip label={reason} events={{ hover: true, focus: true, touch: true }} multiline maw={280} position="top-start">
      <button type="button" className={styles.mark} aria-label={`${name}: ${reason}`} data-testid="health-reason">
        <HealthMark health={health} silent />
      </button>
    </Tooltip>
  );
}
