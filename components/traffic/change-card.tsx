"use client";
import { Button } from "@mantine/core";
import { useLocale, useTranslations } from "use-intl";
import type { Routing } from "../../server/contract/index.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { ObjectDiffs } from "../config/yaml-diff.tsx";
import { useChanges } from "../lib/queries.ts";
import { formatRate } from "../ui/format.ts";
import { Panel } from "../ui/panel.tsx";
import { TimeOfDay } from "../ui/quantity.tsx";
import { Notice } from "../ui/states.tsx";
import styles from "./change-card.module.css";
import { movedRates, shownRules, splitOf } from "./rule-parts.ts";
import type { Shift } from "./use-shift.ts";

export interface ChangeCardProps {
  shift: Shift;
  routing: Routing;
  /** Of the whole service, per second. */
  requestRate: number;
  /** Proxies that hold on to what was before. */
  refusedBy: readonly string[];
}

/** What applying would write and move; after it, the way back stands in the same place. */
export function ChangeCard({ shift, routing, requestRate, refusedBy }: ChangeCardProps) {
  const t = useTranslations("traffic");
  const { draft, plan, error, written } = shift;
  const conflict = error?.code === "CONFLICT";
  return (
    <Panel
      title={t("change")}
      hint={plan?.objects.map(({ kind, name }) => `${kind} ${name}`).join(", ")}
      flush
      footer={
        draft ? (
          <DraftFooter shift={shift} routing={routing} requestRate={requestRate} />
        ) : (
          written && <UndoFooter shift={shift} />
        )
      }
      data-testid="change-card"
    >
      {conflict && <Conflict shift={shift} routing={routing} />}
      {error && !conflict && <FieldErrors error={error} />}
      {draft ? (
        plan && <ObjectDiffs objects={plan.objects} />
      ) : (
        <p className={styles.idle}>
          {written ? t("applied", { revision: written.revision, weights: written.after }) : t("no-change")}
        </p>
      )}
      {!draft && written && refusedBy.length > 0 && (
        <Notice tone="bad">{t("applied-refused", { proxies: refusedBy.join(", ") })}</Notice>
      )}
      {draft && !plan && !error && <p className={styles.idle}>{t("planning")}</p>}
    </Panel>
  );
}

function DraftFooter({ shift, routing, requestRate }: Omit<ChangeCardProps, "refusedBy">) {
  const t = useTranslations("traffic");
  const { plan, error, busy } = shift;
  return (
    <>
      <Button
        variant="filled"
        onClick={shift.apply}
        loading={busy}
        disabled={error !== null && error.code !== "CONTROL_PLANE_UNREACHABLE" && error.code !== "INTERNAL"}
        data-testid="apply"
      >
        {t("apply", { count: plan?.proxies ?? routing.proxies })}
      </Button>
      <Button variant="subtle" color="gray" onClick={shift.discard} disabled={busy} data-testid="discard">
        {t("discard")}
      </Button>
      <Moved shift={shift} routing={routing} requestRate={requestRate} />
    </>
  );
}

/** `≈ 4 rps move to v3`. */
function Moved({ shift: { draft }, routing, requestRate }: Omit<ChangeCardProps, "refusedBy">) {
  const t = useTranslations("traffic");
  const locale = useLocale();
  const rule = draft && shownRules(routing).find(({ index }) => index === draft.rule);
  if (!draft || !rule || rule.matches.length > 0 || requestRate === 0) return null;
  const gains = movedRates(splitOf(rule, routing).parts, draft.parts, requestRate).filter(({ rate }) => rate > 0);
  if (gains.length === 0) return null;
  const total = formatRate(
    gains.reduce((sum, { rate }) => sum + rate, 0),
    locale,
  );
  return (
    <span className={styles.moved} data-testid="moved">
      {t("moved", { rate: total.value, unit: total.unit, versions: gains.map(({ version }) => version).join(", ") })}
    </span>
  );
}

function UndoFooter({ shift }: { shift: Shift }) {
  const t = useTranslations("traffic");
  return (
    <>
      <Button onClick={shift.undo} loading={shift.busy} data-testid="undo">
        {t("undo")}
      </Button>
      <span className="muted">{t("again", { weights: shift.written?.before ?? "" })}</span>
    </>
  );
}

/** Somebody else was faster: who, when, what; theirs, or mine on top of it. */
function Conflict({ shift, routing }: Pick<ChangeCardProps, "shift" | "routing">) {
  const t = useTranslations("traffic");
  const name = routing.virtualService?.name;
  const changes = useChanges({ sinceMs: 0, limit: 20 }).data?.changes ?? [];
  const theirs = changes.find(({ objects }) =>
    objects.some((object) => object.kind === "VirtualService" && object.name === name),
  );
  return (
    <div className={styles.conflict} role="alert" data-testid="conflict">
      <p>
        {theirs ? (
          <>
            <b>{t("conflict-by", { author: theirs.author })}</b> <TimeOfDay ms={theirs.at} /> · {theirs.summary}
          </>
        ) : (
          <b>{t("conflict")}</b>
        )}
      </p>
      <div>
        <Button size="compact-sm" onClick={shift.discard} data-testid="conflict-theirs">
          {t("take-theirs")}
        </Button>
        <Button size="compact-sm" onClick={shift.reapply} data-testid="conflict-mine">
          {t("mine-on-top")}
        </Button>
      </div>
    </div>
  );
}
