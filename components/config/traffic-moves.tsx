"use client";
import { useLocale, useTranslations } from "use-intl";
import { type ShareChange, serviceTitle } from "../../server/contract/index.ts";
import { useServices } from "../lib/queries.ts";
import { useConditionsText } from "../traffic/conditions-text.ts";
import { formatPerSecond, formatRate, quantityText } from "../ui/format.ts";
import { defaultWindowSec } from "../ui/time-window.ts";
import styles from "./change-safety.module.css";
import { destinationText, shareKey } from "./dead-shares.ts";

const shownAtMost = 8;

/** Who loses requests by a change and who gets them, with how many that are by the last minute's. */
export function TrafficMoves({ shares }: { shares: readonly ShareChange[] }) {
  const t = useTranslations("safety");
  const locale = useLocale();
  const conditionsOf = useConditionsText();
  const moved = shares.filter(({ before, after, lost }) => before !== after || lost !== undefined);
  const services = useServices(defaultWindowSec, undefined, moved.length > 0).data?.services ?? [];
  if (moved.length === 0) return null;
  // What it loses first.
  const sorted = moved.toSorted((a, b) => a.after - a.before - (b.after - b.before));
  const rateOf = ({ list, hostname, matches, before, after }: ShareChange): string | null => {
    const service = services.find((one) => one.hostname === hostname);
    // How many of a service's requests a rule with conditions takes is not known.
    if (!service || matches.length > 0 || service.signals.requestRate === 0) return null;
    const share = Math.abs(after - before) || before;
    const format = list === "http" ? formatRate : formatPerSecond;
    return quantityText(format((service.signals.requestRate * share) / 100, locale));
  };
  const titleOf = (share: ShareChange): string => {
    const service = services.find((one) => one.hostname === share.hostname);
    return service && share.subset !== null ? `${serviceTitle(service)} ${share.subset}` : destinationText(share);
  };
  return (
    <ul className={styles.moves} data-testid="traffic-moves" aria-label={t("moves")}>
      {sorted.slice(0, shownAtMost).map((share) => {
        const rate = rateOf(share);
        return (
          <li key={shareKey(share)} data-loses={share.after < share.before || share.lost !== undefined}>
            <b>{titleOf(share)}</b>{" "}
            {share.matches.length > 0 && <span>{t("move-where", { conditions: conditionsOf(share) })}</span>}{" "}
            <span className="num">{t("move", { before: share.before, after: share.lost ? 0 : share.after })}</span>{" "}
            {rate !== null && <span className="muted">{t("move-rate", { rate })}</span>}
            {share.clients && <span className="muted"> {t("clients", { namespace: share.clients })}</span>}
          </li>
        );
      })}
      {sorted.length > shownAtMost && (
        <li className="muted">{t("moves-more", { count: sorted.length - shownAtMost })}</li>
      )}
    </ul>
  );
}
