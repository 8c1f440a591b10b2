"use client";
import { IconChevronRight } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { ExplainedRoute } from "../../server/contract/index.ts";
import { CheckLine, CheckList } from "./check-list.tsx";
import styles from "./explain.module.css";
import { failing } from "./explain-words.ts";
import { Mark } from "./mark.tsx";
import { OriginLink } from "./origin-link.tsx";
import { Percent } from "./percent.tsx";

/** Above so many, those that are not reached are folded into one line. */
const mostShown = 30;

/** Every route in its order; why one did not match stands on its own line, all of its conditions below it. */
export function RouteSteps({ routes }: { routes: readonly ExplainedRoute[] }) {
  const t = useTranslations("explain");
  const last = routes.findLastIndex(({ verdict }) => verdict !== "not-reached");
  const shown = routes.length > mostShown ? routes.slice(0, Math.max(mostShown, last + 1)) : routes;
  return (
    <>
      <ol className={styles.routes} data-testid="explain-routes">
        {shown.map((route) => (
          <li key={route.index}>
            <RouteStep route={route} />
          </li>
        ))}
      </ol>
      {shown.length < routes.length && <small>{t("more-routes", { count: routes.length - shown.length })}</small>}
    </>
  );
}

const marks = { taken: true, passed: false, "not-reached": "skipped", unknown: null } as const;

function RouteStep({ route }: { route: ExplainedRoute }) {
  const t = useTranslations("explain");
  const { verdict, checks, origin, name, to, does, index, share } = route;
  const [reason] = verdict === "passed" ? failing(checks) : [];
  return (
    <details className={styles.route} data-verdict={verdict} open={verdict === "taken"}>
      <summary>
        <IconChevronRight size={14} className={styles.chevron} aria-hidden />
        <Mark ok={marks[verdict]} />
        <span className={`num ${styles.quiet}`}>{index + 1}</span>
        <span className={styles.routeName}>{name || t("unnamed")}</span>
        <span className={`mono ${styles.to}`}>
          {t(`does-${does}`)} {to}
        </span>
        {verdict === "taken" && share < 1 && <Percent share={share} />}
        {verdict === "not-reached" && <span className={styles.quiet}>{t("not-reached")}</span>}
        {reason && (
          <span className={styles.reason}>
            <CheckLine check={reason} bare />
          </span>
        )}
      </summary>
      <div className={styles.inside}>
        {origin ? <OriginLink origin={origin} /> : <span className={styles.quiet}>{t("no-origin")}</span>}
        <CheckList checks={checks} />
      </div>
    </details>
  );
}
