"use client";
import { Button, Checkbox } from "@mantine/core";
import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { ChangedObject, MeshComparison } from "../../server/contract/index.ts";
import { CodeDiff } from "../config/code/code-diff.tsx";
import { FieldErrors } from "../config/field-errors.tsx";
import { toApiError } from "../lib/api.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { compareMeshes } from "../lib/writes.ts";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./history.module.css";
import { SideChoice } from "./side-choice.tsx";
import { meshSide, parseSide, type Side, sideText } from "./sides.ts";
import type { MeshPlan } from "./use-mesh-plan.tsx";

export interface ComparePanelProps {
  plan: MeshPlan;
  newest: number | null;
  /** The right side where the address names none, beside what is now; default: now, beside what was before the last change. */
  otherwise?: Side | undefined;
}

/** Two meshes beside each other: as it is, as it was, or as a design or a file has it; each can be taken out, or put in force. */
export function ComparePanel({ plan, newest, otherwise }: ComparePanelProps) {
  const t = useTranslations("history");
  const url = useUrlState();
  const before = otherwise || newest === null ? null : `r${Math.max(1, newest - 1)}`;
  const [from, to] = [
    parseSide(url.get("from") ?? before),
    parseSide(url.get("to") ?? (otherwise ? sideText(otherwise) : null)),
  ];
  const [files, setFiles] = useState<{ from: string | null; to: string | null }>({ from: null, to: null });
  const [a, b] = [meshSide(from, files.from), meshSide(to, files.to)];
  const part = partOf(from, to);
  const whole = url.get("whole") !== null;
  const of = part !== null && !whole ? part : undefined;
  const query = useQuery({
    queryKey: ["compare", a, b, of, isNow(from) || isNow(to) ? newest : null],
    queryFn: a && b ? ({ signal }) => compareMeshes({ from: a, to: b, ...(of && { of }) }, signal) : skipToken,
    retry: false,
    placeholderData: keepPreviousData,
  });
  return (
    <div id="compare" className={styles.compare}>
      <Panel title={t("compare")} hint={t("compare-hint")} flush data-testid="compare">
        <div className={styles.sides}>
          {(["from", "to"] as const).map((which) => (
            <SideChoice
              key={which}
              which={which}
              side={which === "from" ? from : to}
              file={files[which]}
              newest={newest}
              onFile={(text) => setFiles({ ...files, [which]: text })}
              plan={plan}
            />
          ))}
        </div>
        {part !== null && (
          <Checkbox
            className={styles.whole ?? ""}
            size="xs"
            label={t("whole")}
            checked={whole}
            onChange={(event) => url.set({ whole: event.currentTarget.checked ? "1" : null })}
            data-testid="compare-whole"
          />
        )}
        {query.error ? (
          <FieldErrors error={toApiError(query.error)} />
        ) : query.data && a && b ? (
          <Differences found={query.data} isOfBefore={query.isPlaceholderData} from={from} plan={plan} />
        ) : a && b ? (
          <div className={styles.waiting}>
            <SkeletonBlock height={120} />
          </div>
        ) : (
          <EmptyState title={t("choose-file")}>{t("choose-file-text")}</EmptyState>
        )}
      </Panel>
    </div>
  );
}

/** The side that is a part of a mesh, where the other is the whole of one: what the part doesn't name is hardly asked for. */
function partOf(from: Side, to: Side): "from" | "to" | null {
  if ((from.kind === "design") === (to.kind === "design")) return null;
  return from.kind === "design" ? "from" : "to";
}

const isNow = ({ kind }: Side): boolean => kind === "now";

interface DifferencesProps {
  found: MeshComparison;
  /** Of the sides that were chosen before; those of now are being compared. */
  isOfBefore: boolean;
  from: Side;
  plan: MeshPlan;
}

function Differences({ found, isOfBefore, from, plan }: DifferencesProps) {
  const t = useTranslations("history");
  if (found.objects.length === 0) return <EmptyState title={t(isOfBefore ? "comparing" : "same")} />;
  return (
    <div aria-busy={isOfBefore} data-testid="differences">
      <p className={styles.count} role="status">
        {isOfBefore ? t("comparing") : t("differ", { count: found.objects.length + found.more })}
      </p>
      {found.objects.map((object) => (
        <Difference
          key={`${object.kind}/${object.namespace}/${object.name}`}
          object={object}
          from={isOfBefore ? null : from}
          plan={plan}
        />
      ))}
      {found.more > 0 && <p className={styles.count}>{t("differ-more", { count: found.more })}</p>}
    </div>
  );
}

interface DifferenceProps {
  object: ChangedObject;
  /** Null: what it is a difference from is not chosen any more, so nothing is to be restored from there. */
  from: Side | null;
  plan: MeshPlan;
}

function Difference({ object, from, plan }: DifferenceProps) {
  const t = useTranslations("history");
  const config = useTranslations("config");
  const { kind, namespace, name, before, after } = object;
  const may = useMay();
  const moment = momentOf(from);
  const label = `${kind} ${namespace ? `${namespace}/` : ""}${name}`;
  return (
    <details className={styles.difference} open data-object={`${kind}/${namespace}/${name}`}>
      <summary>
        <b>{label}</b>
        <span className="muted">{before === "" ? t("only-to") : after === "" ? t("only-from") : ""}</span>
      </summary>
      {moment && may("operator", namespace || "*") && (
        <Button
          size="compact-xs"
          className={styles.restore ?? ""}
          onClick={() =>
            plan.restore(
              { ...moment, kind, name, ...(namespace && { namespace }) },
              t("restore-one-title", { object: label }),
            )
          }
          disabled={plan.busy}
        >
          {t("restore-one")}
        </Button>
      )}
      <CodeDiff before={before} after={after} label={config("diff-of", { object: label })} />
    </details>
  );
}

function momentOf(side: Side | null): { revision: number } | { at: number } | null {
  if (side?.kind === "revision") return { revision: side.revision };
  return side?.kind === "at" ? { at: side.at } : null;
}
