"use client";
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import type { ChangeResult } from "../../server/contract/index.ts";
import { type DiffRow, diffRows } from "./diff-rows.ts";
import styles from "./yaml-diff.module.css";

/** What a change would write, object by object. */
export function ObjectDiffs({ objects }: { objects: ChangeResult["objects"] }) {
  const t = useTranslations("config");
  if (objects.length === 0) return <p className={styles.none}>{t("diff-none")}</p>;
  return objects.map(({ kind, namespace, name, before, after }) => (
    <div key={`${kind}/${namespace}/${name}`} data-testid="object-diff">
      {objects.length > 1 && (
        <p className={styles.object}>
          {kind} {namespace && `${namespace}/`}
          {name}
          <span>{before === "" ? t("diff-new") : after === "" ? t("diff-gone") : ""}</span>
        </p>
      )}
      <YamlDiff before={before} after={after} label={t("diff-of", { object: `${kind} ${name}` })} />
    </div>
  ));
}

export function YamlDiff({ before, after, label }: { before: string; after: string; label: string }) {
  const t = useTranslations("config");
  const rows = useMemo(() => diffRows(before, after), [before, after]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section className={styles.diff} aria-label={label} tabIndex={0}>
      <div className={styles.rows}>
        {rows.map((row) => (
          <Row key={`${row.kind}${row.line}`} row={row} gap={(count) => t("diff-gap", { count })} />
        ))}
      </div>
    </section>
  );
}

const signs = { same: " ", added: "+", removed: "-" };

function Row({ row, gap }: { row: DiffRow; gap: (count: number) => string }) {
  if (row.kind === "gap") return <div className={styles.gap}>{gap(row.lines)}</div>;
  return (
    <div className={styles[row.kind]}>
      <span aria-hidden={row.kind === "same"}>{signs[row.kind]}</span>
      {row.text}
    </div>
  );
}
