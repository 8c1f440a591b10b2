"use client";
import { ActionIcon, Menu } from "@mantine/core";
import { IconDots } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { AlertRuleItem, AlertRuleShape, ApiError } from "../../server/contract/index.ts";
import { parseGoDuration } from "../../server/wire/go-duration.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { toApiError } from "../lib/api.ts";
import { objectHref } from "../lib/links.ts";
import { useMay } from "../lib/session.tsx";
import { applyYaml } from "../lib/writes.ts";
import { LiveContent } from "../list/live-content.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { formatMs, formatSpan, quantityText } from "../ui/format.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { useAlertRules } from "./alert-queries.ts";
import styles from "./alerts.module.css";
import { RuleDialog } from "./rule-dialog.tsx";
import { ruleText } from "./rule-draft.ts";

export interface RulesPanelProps {
  /** The rule that is edited, or that there is a new one. */
  editing: AlertRuleItem | "new" | null;
  onEdit: (editing: AlertRuleItem | "new" | null) => void;
}

/** Every rule by which people are told, those that are built in included: made, changed, muted and taken away here. */
export function RulesPanel({ editing, onEdit }: RulesPanelProps) {
  const t = useTranslations("alert-rules");
  const live = useAlertRules();
  const client = useQueryClient();
  const [error, setError] = useState<ApiError | null>(null);
  const refresh = () => {
    live.refresh();
    void client.invalidateQueries({ queryKey: ["objects"] });
  };
  const doing = (work: Promise<unknown>) =>
    void work
      .then(() => setError(null))
      .catch((cause: unknown) => setError(toApiError(cause)))
      .finally(refresh);
  const write = (rule: AlertRuleItem, spec: AlertRuleShape) =>
    doing(applyYaml(ruleText(rule, spec), [], { dryRun: false }));
  const remove = ({ namespace, name, resourceVersion }: AlertRuleItem) => {
    const key = { kind: "AlertRule", namespace, name, ...(resourceVersion !== null && { resourceVersion }) };
    doing(applyYaml("", [key], { dryRun: false }));
  };
  const textOf = useRuleText();
  const columns: Column<AlertRuleItem>[] = [
    { key: "name", header: t("col-name"), phone: "title", cell: (rule) => <Name rule={rule} /> },
    { key: "what", header: t("col-condition"), cell: ({ spec }) => textOf(spec) },
    {
      key: "whom",
      header: t("col-whom"),
      cell: ({ spec, namespace, meshWide }) =>
        spec.service ?? <span className="muted">{meshWide ? t("everything") : t("everything-in", { namespace })}</span>,
    },
    { key: "severity", header: t("col-severity"), cell: ({ spec }) => t(`severity-${spec.severity ?? "Warning"}`) },
    {
      key: "told",
      header: t("col-receivers"),
      cell: ({ spec }) => spec.receivers?.join(", ") ?? <span className="muted">{t("everybody")}</span>,
    },
    { key: "state", header: t("col-state"), cell: (rule) => <State rule={rule} /> },
    {
      key: "do",
      header: "",
      align: "right",
      cell: (rule) => <RuleMenu rule={rule} onEdit={() => onEdit(rule)} onWrite={write} onRemove={remove} />,
    },
  ];
  return (
    <Panel title={t("title")} hint={t("hint")} flush>
      {editing && (
        <RuleDialog
          rule={editing === "new" ? undefined : editing}
          rootNamespace={live.data?.rootNamespace ?? ""}
          onClose={() => onEdit(null)}
          onSaved={refresh}
        />
      )}
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={4} columns={6} />}>
        {({ rules }) => (
          <DataTable
            caption={t("title")}
            columns={columns}
            rows={rules}
            rowKey={({ namespace, name }) => `${namespace}/${name}`}
            rowProps={({ namespace, name }) => ({ "data-rule": `${namespace}/${name}` })}
          />
        )}
      </LiveContent>
      {error && (
        <div className={styles.error}>
          <FieldErrors error={error} />
        </div>
      )}
    </Panel>
  );
}

function Name({ rule: { namespace, name, builtIn } }: { rule: AlertRuleItem }) {
  const t = useTranslations("alert-rules");
  if (builtIn)
    return (
      <>
        {name} <span className="muted">{t("built-in")}</span>
      </>
    );
  return (
    <>
      <ObjectLink className="link" href={objectHref("AlertRule", namespace, name)}>
        {name}
      </ObjectLink>{" "}
      <span className="muted">{namespace}</span>
    </>
  );
}

function State({ rule: { spec, active } }: { rule: AlertRuleItem }) {
  const t = useTranslations("alert-rules");
  if (spec.suspended) return <span className="muted">{t("is-suspended")}</span>;
  const until = mutedUntil(spec);
  const told = active > 0 ? t("told-of", { count: active }) : t("watches");
  if (until === null) return told;
  return (
    <>
      {told} <span className="muted">· {t.rich("muted-until", { time: () => <Moment ms={until} /> })}</span>
    </>
  );
}

/** Null: it is not. */
const mutedUntil = ({ mutedUntil: until }: AlertRuleShape): number | null =>
  until !== undefined && Date.parse(until) > Date.now() ? Date.parse(until) : null;

const hour = 3_600_000;
const spans = [1, 8, 24] as const;

interface RuleMenuProps {
  rule: AlertRuleItem;
  onEdit: () => void;
  onWrite: (rule: AlertRuleItem, spec: AlertRuleShape) => void;
  onRemove: (rule: AlertRuleItem) => void;
}

function RuleMenu({ rule, onEdit, onWrite, onRemove }: RuleMenuProps) {
  const t = useTranslations("alert-rules");
  const [armed, setArmed] = useState(false);
  const { name, namespace, builtIn } = rule;
  const { mutedUntil: _, suspended = false, ...spec } = rule.spec;
  if (!useMay()("operator", namespace)) return null;
  const mute = (hours: number) => () => {
    const until = new Date(Math.round((Date.now() + hours * hour) / 1000) * 1000).toISOString();
    onWrite(rule, { ...spec, mutedUntil: until });
  };
  const loud = suspended || mutedUntil(rule.spec) !== null;
  return (
    <Menu position="bottom-end" onClose={() => setArmed(false)}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="sm" aria-label={t("more-of", { name })} data-testid="rule-menu">
          <IconDots size={15} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={onEdit}>{t("edit")}</Menu.Item>
        {spans.map((hours) => (
          <Menu.Item key={hours} onClick={mute(hours)} data-testid={`mute-${hours}`}>
            {t("mute", { hours })}
          </Menu.Item>
        ))}
        {!suspended && (
          <Menu.Item onClick={() => onWrite(rule, { ...spec, suspended: true })}>{t("suspend")}</Menu.Item>
        )}
        {loud && (
          <Menu.Item onClick={() => onWrite(rule, spec)} data-testid="unmute">
            {t("resume")}
          </Menu.Item>
        )}
        {!builtIn && (
          <>
            <Menu.Divider />
            <Menu.Item
              color="red"
              closeMenuOnClick={armed}
              onClick={() => (armed ? onRemove(rule) : setArmed(true))}
              data-testid="rule-remove"
            >
              {t(armed ? "remove-confirm" : "remove", { name })}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** What a rule watches, in words. */
function useRuleText(): (spec: AlertRuleShape) => string {
  const t = useTranslations("alert-rules");
  const locale = useLocale();
  const span = (written: string): string => {
    const ms = parseGoDuration(written);
    if (ms === undefined) return written;
    return ms > 0 && ms < 1000 ? quantityText(formatMs(ms, locale)) : formatSpan(ms / 1000, locale);
  };
  return ({ when, window = "1m", for: lasting = "1m" }) => {
    const lasts = span(lasting);
    const over = { window: span(window), lasts };
    if (when.errors) return t("says-errors", { ...over, above: when.errors.above });
    if (when.latency) {
      const { above, percentile = "P95" } = when.latency;
      return t("says-latency", { ...over, above: span(above), percentile: percentile.toLowerCase() });
    }
    if (when.rate?.above !== undefined) return t("says-rate-above", { ...over, above: when.rate.above });
    if (when.rate?.below !== undefined) return t("says-rate-below", { ...over, below: when.rate.below });
    if (when.health) return t("says-health", { ...over, health: t(`health-${when.health.atLeast}`) });
    if (when.proxies)
      return t("says-proxies", { lasts, states: when.proxies.states.map((one) => t(`state-${one}`)).join(", ") });
    return t("says-certificates", { within: span(when.certificates?.endWithin ?? "") });
  };
}
