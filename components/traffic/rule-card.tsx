"use client";
import { useTranslations } from "use-intl";
import type { RouteRule, Routing, ServiceMetrics } from "../../server/contract/index.ts";
import { objectHref, serviceHref } from "../lib/links.ts";
import { useMay } from "../lib/session.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { Notice } from "../ui/states.tsx";
import { useConditionsText } from "./conditions-text.ts";
import { ObservedBar } from "./observed-bar.tsx";
import type { ObservedShares } from "./observed-shares.ts";
import styles from "./rule-card.module.css";
import { splitOf, type WeightPart } from "./rule-parts.ts";
import { RuleTable } from "./rule-table.tsx";
import { allTo, evenOut } from "./split.ts";
import { WeightSplitBar } from "./split-bar.tsx";
import type { Drafts } from "./use-drafts.ts";

export interface RuleCardProps {
  service: { namespace: string; name: string };
  rule: RouteRule;
  routing: Routing;
  drafts: Drafts;
  metrics: ServiceMetrics | undefined;
  observed: ObservedShares;
  /** The service's figures are this rule's. */
  measured: boolean;
  /** It takes no more than what others hand over. */
  delegated?: boolean;
}

/** One http rule: what it matches, how it shares its traffic, and what the traffic does. */
export function RuleCard({ service, rule, routing, drafts, metrics, observed, measured, delegated }: RuleCardProps) {
  const t = useTranslations("traffic");
  const may = useMay()("operator", routing.virtualService?.namespace ?? service.namespace);
  const split = splitOf(rule, routing);
  const parts = drafts.partsOf(rule.index) ?? split.parts;
  const onChange = (next: WeightPart[]) => drafts.change(rule.index, next);
  const isDraft = drafts.active?.rule === rule.index;
  const hint = useMatchText(rule, routing, delegated);
  return (
    <Panel
      title={rule.name && !isFaultCopy(rule) ? rule.name : t("rule", { number: rule.index + 1 })}
      hint={hint}
      actions={may && parts.length > 1 && <span className={styles.how}>{t("how")}</span>}
      flush
      data-testid={`rule-${rule.index}`}
    >
      {split.kind === "fixed" ? (
        <Fixed service={service} rule={rule} routing={routing} />
      ) : (
        <>
          <div className={styles.bars}>
            <WeightSplitBar
              parts={parts}
              onChange={onChange}
              readOnly={!may}
              label={t("split-of", { rule: rule.index + 1 })}
            />
            {measured && (
              <ObservedBar
                of={observed.of}
                shares={parts.map(({ version }) => ({ version, share: observed.shares[version] ?? 0 }))}
              />
            )}
            {may && parts.length > 1 && <QuickActions parts={parts} onChange={onChange} />}
            {split.kind === "alike" && !isDraft && (
              <p className="muted">{parts.length > 1 ? t("alike") : t("one-version")}</p>
            )}
          </div>
          <RuleTable
            rule={rule}
            parts={parts}
            inForce={split.parts}
            drafts={drafts}
            metrics={metrics}
            observed={observed.shares}
            measured={measured}
            ofConnections={routing.layer === "tcp"}
            editable={may && split.parts.length > 1}
          />
        </>
      )}
      <Facts rule={rule} />
    </Panel>
  );
}

/** A fault that is limited by a header lives in a copy of the rule, under a name of the fault's own. */
const isFaultCopy = ({ name }: RouteRule): boolean => name?.startsWith("limpid-fault-") ?? false;

function useMatchText(rule: RouteRule, routing: Routing, delegated = false): string {
  const t = useTranslations("traffic");
  const conditions = useConditionsText();
  if (isFaultCopy(rule)) return t("fault-copy", { matches: conditions(rule) });
  if (rule.matches.length > 0) return t("when", { matches: conditions(rule) });
  if (delegated) return t("handed-over");
  if (routing.rules.length > 1) return t("else");
  return t(routing.layer === "tcp" ? "every-connection" : "everything");
}

function QuickActions({ parts, onChange }: { parts: readonly WeightPart[]; onChange: (parts: WeightPart[]) => void }) {
  const t = useTranslations("traffic");
  return (
    <div className={styles.quick}>
      <button type="button" onClick={() => onChange(evenOut(parts))} data-testid="quick-even">
        {t("even")}
      </button>
      {parts.length <= 6 &&
        parts.map(({ version, subset }, i) => (
          <button
            type="button"
            key={subset}
            onClick={() => onChange(allTo(parts, i))}
            disabled={parts[i]?.locked}
            data-testid={`quick-all-${version}`}
          >
            {t("all-to", { version })}
          </button>
        ))}
    </div>
  );
}

function Fixed({ service, rule, routing }: Pick<RuleCardProps, "service" | "rule" | "routing">) {
  const t = useTranslations("traffic");
  if (rule.delegate) return <Delegated to={rule.delegate} routing={routing} />;
  return (
    <div className={styles.fixed}>
      {rule.redirect ? (
        <p>{rule.redirect}</p>
      ) : (
        <ul className="mono">
          {rule.destinations.map(({ host, subset, weight }) => (
            <li key={`${host}/${subset}`}>
              {host}
              {subset && ` ${subset}`} · {weight} %
            </li>
          ))}
        </ul>
      )}
      <p className="muted">
        {t("fixed")}{" "}
        <ObjectLink
          className="link"
          href={serviceHref({ namespace: service.namespace, hostname: service.name }, "config")}
        >
          {t("fixed-yaml")}
        </ObjectLink>
      </p>
    </div>
  );
}

/** Its requests are another VirtualService's, whose rules stand below where there are any. */
function Delegated({ to: { namespace, name }, routing }: { to: NonNullable<RouteRule["delegate"]>; routing: Routing }) {
  const t = useTranslations("traffic");
  const isInForce = routing.delegates?.some((one) => one.namespace === namespace && one.name === name) ?? false;
  return (
    <div className={styles.fixed} data-testid="delegated">
      <p>
        {t("delegated")}{" "}
        <ObjectLink className="link" href={objectHref("VirtualService", namespace, name)}>
          {namespace}/{name}
        </ObjectLink>
        {isInForce && t("delegated-below")}
      </p>
      {!isInForce && <Notice tone="warn">{t("delegated-to-nobody")}</Notice>}
    </div>
  );
}

/** What else the rule says; a line each, only what is there. */
function Facts({ rule }: { rule: RouteRule }) {
  const t = useTranslations("traffic");
  const facts = (["fault", "timeout", "retries", "mirror"] as const).filter((key) => rule[key] !== null);
  if (facts.length === 0) return null;
  return (
    <dl className={styles.facts}>
      {facts.map((key) => (
        <div key={key} data-fact={key}>
          <dt>{t(key)}</dt>
          <dd>{rule[key]}</dd>
        </div>
      ))}
    </dl>
  );
}
