"use client";
import { Button } from "@mantine/core";
import { useLocale, useTranslations } from "use-intl";
import type { Routing } from "../../server/contract/index.ts";
import { ChangeSafety, SafeButton } from "../config/change-safety.tsx";
import { useAuthor, useChangeText } from "../config/change-text.ts";
import { type ChangeView, ChangeViews } from "../config/change-views.tsx";
import { FieldErrors } from "../config/field-errors.tsx";
import { PlanDiff } from "../config/plan-diff.tsx";
import { RefusedBy } from "../config/refusals.tsx";
import { useUndo } from "../config/use-undo.tsx";
import { useChanges } from "../lib/queries.ts";
import { useFocusWhenLost } from "../lib/use-focus-when-lost.ts";
import { formatPerSecond, formatRate } from "../ui/format.ts";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import styles from "./change-card.module.css";
import { overtakenBy } from "./last-shift.ts";
import { movedRates, shownRules, splitOf } from "./rule-parts.ts";
import type { Shift } from "./use-shift.ts";

export interface ChangeCardProps {
  shift: Shift;
  routing: Routing;
  /** Of the whole service, per second. */
  requestRate: number;
  /** Proxies that hold on to what was before, with their reasons. */
  refusals: readonly { name: string; error: string | null }[];
  view: ChangeView;
  onView: (view: ChangeView) => void;
}

/** What applying would write and move; after it, the way back stands in the same place. */
export function ChangeCard({ shift, routing, requestRate, refusals, view, onView }: ChangeCardProps) {
  const t = useTranslations("traffic");
  const { draft, plan, error, written } = shift;
  const conflict = error?.code === "CONFLICT";
  return (
    <Panel
      title={t("change")}
      hint={plan?.objects.map(({ kind, name }) => `${kind} ${name}`).join(", ")}
      actions={draft && <ChangeViews view={view} onView={onView} />}
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
      {draft && <ChangeSafety plan={plan} />}
      {draft ? plan && <PlanDiff plan={plan} view={view} /> : <Idle written={written} />}
      {!draft && written && refusals.length > 0 && <RefusedBy proxies={refusals} />}
      {draft && !plan && !error && <p className={styles.idle}>{t("planning")}</p>}
    </Panel>
  );
}

function Idle({ written }: Pick<Shift, "written">) {
  const t = useTranslations("traffic");
  const authorOf = useAuthor();
  if (!written) return <p className={styles.idle}>{t("no-change")}</p>;
  const { revision, after, by } = written;
  return (
    <p className={styles.idle}>
      {after ? t("applied", { revision, weights: after }) : t("applied-plain", { revision })}
      {by && (
        <>
          {" "}
          <span className="muted">
            {authorOf(by.author)} · <Moment ms={by.at} />
          </span>
        </>
      )}
    </p>
  );
}

type FooterProps = Pick<ChangeCardProps, "shift" | "routing" | "requestRate">;

function DraftFooter({ shift, routing, requestRate }: FooterProps) {
  const t = useTranslations("traffic");
  const { plan, error, busy } = shift;
  return (
    <>
      <SafeButton
        plan={plan}
        onPress={shift.apply}
        loading={busy}
        disabled={error !== null && error.code !== "CONTROL_PLANE_UNREACHABLE" && error.code !== "INTERNAL"}
        data-testid="apply"
      >
        {t("apply", { count: plan?.proxies ?? routing.proxies })}
      </SafeButton>
      <Button variant="subtle" color="gray" onClick={shift.discard} disabled={busy} data-testid="discard">
        {t("discard")}
      </Button>
      <Moved shift={shift} routing={routing} requestRate={requestRate} />
    </>
  );
}

/** `≈ 4 rps move to v3`. */
function Moved({ shift: { draft }, routing, requestRate }: FooterProps) {
  const t = useTranslations("traffic");
  const locale = useLocale();
  const rule = draft && shownRules(routing).find(({ index }) => index === draft.rule);
  if (!draft || !rule || rule.matches.length > 0 || requestRate === 0) return null;
  const gains = movedRates(splitOf(rule, routing).parts, draft.parts, requestRate).filter(({ rate }) => rate > 0);
  if (gains.length === 0) return null;
  const total = (routing.layer === "tcp" ? formatPerSecond : formatRate)(
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
  const undo = useUndo(shift.undone);
  const { written } = shift;
  const own = written !== null && written.by === undefined;
  const button = useFocusWhenLost<HTMLButtonElement>(own);
  if (!written) return null;
  return (
    <>
      {undo.dialog}
      <Button ref={button} onClick={() => undo.press(written.revision, { own })} loading={undo.busy} data-testid="undo">
        {own ? t("undo") : t("undo-look")}
      </Button>
      <span className="muted">{written.before ? t("again", { weights: written.before }) : t("again-plain")}</span>
    </>
  );
}

/** Somebody else was faster: who, when, what; theirs, or mine on top of it. */
function Conflict({ shift, routing }: Pick<ChangeCardProps, "shift" | "routing">) {
  const t = useTranslations("traffic");
  const said = useChangeText();
  const authorOf = useAuthor();
  const changes = useChanges({ sinceMs: 0, limit: 50 }).data?.changes ?? [];
  const theirs = overtakenBy(changes, routing, shift.draft?.base ?? null);
  return (
    <div className={styles.conflict} role="alert" data-testid="conflict">
      <p>
        {theirs ? (
          <>
            <b>{t("conflict-by", { author: authorOf(theirs.author) })}</b> <Moment ms={theirs.at} /> · {said(theirs)}
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
