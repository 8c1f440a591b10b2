"use client";
import { IconChevronRight } from "@tabler/icons-react";
import { useLocale, useTranslations } from "use-intl";
import type { ExplainedFilter, ExplainedPolicy } from "../../server/contract/index.ts";
import { formatMs, quantityText } from "../ui/format.ts";
import { CheckList } from "./check-list.tsx";
import styles from "./explain.module.css";
import { telling } from "./explain-words.ts";
import { Mark } from "./mark.tsx";
import { OriginLink } from "./origin-link.tsx";
import { Percent } from "./percent.tsx";
import { Step } from "./step.tsx";

/** Filters that have a say about the request; others pass it on, and are not told of. */
export function FilterSteps({ filters }: { filters: readonly ExplainedFilter[] }) {
  const t = useTranslations("explain");
  return filters.map(({ name, kind, rbac, jwt, fault }) => {
    if (kind === "unjudged" || kind === "rate-limit") {
      return (
        <Step key={name} name={t("filter")}>
          <span className={styles.head}>
            <Mark ok={null} /> <span className="mono">{name}</span>
          </span>
          <small>{t("filter-unjudged")}</small>
        </Step>
      );
    }
    if (rbac) {
      return (
        <Step key={`${name} ${rbac.action} ${rbac.trial}`} name={t("policies")}>
          <Policies rbac={rbac} />
        </Step>
      );
    }
    if (jwt) {
      return (
        <Step key={name} name={t("token")}>
          <span className={styles.head}>
            <Mark ok={jwt.ok} /> <span>{t(jwt.ok ? (jwt.why ? "token-none" : "token-good") : "token-bad")}</span>
            {jwt.issuer && <code>{jwt.issuer}</code>}
          </span>
          {jwt.why && <small>{jwt.why}</small>}
          <small>{t("token-issuers", { issuers: jwt.issuers.join(", ") })}</small>
        </Step>
      );
    }
    return fault ? (
      <Step key={name} name={t("fault")}>
        <FaultFacts fault={fault} />
      </Step>
    ) : null;
  });
}

type Rbac = NonNullable<ExplainedFilter["rbac"]>;

function Policies({ rbac }: { rbac: Rbac }) {
  const t = useTranslations("explain");
  const { action, allowed, trial, policies } = rbac;
  return (
    <>
      <span className={styles.head}>
        <Mark ok={allowed} /> <b>{action}</b>
        <span>{t(allowed === null ? "policies-unknown" : allowed ? "policies-let" : "policies-refuse")}</span>
        {trial && <span className={styles.quiet}>{t("trial")}</span>}
      </span>
      {policies.length === 0 && <small>{t("no-policy")}</small>}
      <ul className={styles.plain}>
        {policies.map((policy) => (
          <li key={policy.name}>
            <Policy policy={policy} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Policy({ policy }: { policy: ExplainedPolicy }) {
  const t = useTranslations("explain");
  const { matched, origin, name, who, what } = policy;
  return (
    <details className={styles.route} open={matched === true}>
      <summary>
        <IconChevronRight size={14} className={styles.chevron} aria-hidden />
        <Mark ok={matched} />
        <span>{t(matched === null ? "policy-unknown" : matched ? "policy-applies" : "policy-not")}</span>
        <span className="mono">{origin ? `${origin.namespace}/${origin.name} ${origin.rule}` : name}</span>
      </summary>
      <div className={styles.inside}>
        {origin && <OriginLink origin={origin} />}
        {telling(who).length > 0 && <small>{t("who")}</small>}
        <CheckList checks={telling(who)} />
        {telling(what).length > 0 && <small>{t("what")}</small>}
        <CheckList checks={telling(what)} />
        {telling([...who, ...what]).length === 0 && <small>{t("everybody")}</small>}
      </div>
    </details>
  );
}

function FaultFacts({ fault }: { fault: NonNullable<ExplainedFilter["fault"]> }) {
  const t = useTranslations("explain");
  const locale = useLocale();
  const { delayMs, delayShare, abortStatus, abortShare, applies } = fault;
  return (
    <>
      {delayShare > 0 && (
        <p className={styles.fact}>
          <Percent share={delayShare} /> {t("fault-delay", { delay: quantityText(formatMs(delayMs, locale)) })}
        </p>
      )}
      {abortShare > 0 && (
        <p className={styles.fact}>
          <Percent share={abortShare} /> {t("fault-abort", { status: abortStatus })}
        </p>
      )}
      {!applies && <small>{t("fault-not")}</small>}
    </>
  );
}
