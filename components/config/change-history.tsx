"use client";
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Change, ChangeList } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useChanges } from "../lib/queries.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./change-history.module.css";
import { useAuthor, useChangeText } from "./change-text.ts";
import { foldCanaries } from "./fold-canaries.ts";
import { Moment } from "./moment.tsx";
import { useUndo } from "./use-undo.tsx";

export interface ChangeHistoryProps {
  title: string;
  matches?: (change: Change) => boolean;
  initial?: Settled<ChangeList>;
  limit?: number;
  undoable?: boolean;
  /** Said when there is nothing. */
  none?: string;
}

/** Who changed what, newest first, each with the way back. */
export function ChangeHistory({ title, matches, initial, limit = 100, undoable = true, none }: ChangeHistoryProps) {
  const t = useTranslations("config");
  const said = useChangeText();
  const authorOf = useAuthor();
  const [pressed, setPressed] = useState<number | null>(null);
  const live = useChanges({ sinceMs: 0, limit }, initial);
  const undo = useUndo(() => setPressed(null));
  return (
    <Panel title={title} flush data-testid="history">
      {undo.dialog}
      <LiveContent live={live} skeleton={<TableSkeleton rows={4} columns={3} />}>
        {({ changes }) => {
          const shown = changes.filter((change) => matches?.(change) ?? true);
          if (shown.length === 0) return <EmptyState title={none ?? t("history-none")} />;
          return (
            <ul className={styles.list}>
              {foldCanaries(shown).map(({ change, earlier }) => (
                <li key={change.revision} data-revision={change.revision} data-kind={change.kind}>
                  <span className={styles.when}>
                    <Moment ms={change.at} />
                  </span>
                  <span className={styles.what}>
                    <i data-kind={change.kind} aria-hidden />
                    {said(change)}
                    {earlier.length > 0 && (
                      <details className={styles.earlier}>
                        <summary>{t("canary-earlier", { count: earlier.length })}</summary>
                        <ol reversed>
                          {earlier.map((one) => (
                            <li key={one.revision}>
                              <Moment ms={one.at} /> {said(one)} · {authorOf(one.author)} ·{" "}
                              {t("revision", { revision: one.revision })}
                            </li>
                          ))}
                        </ol>
                      </details>
                    )}
                  </span>
                  <span className={styles.who}>
                    {authorOf(change.author)} · {t("revision", { revision: change.revision })}
                  </span>
                  {undoable && (
                    <Button
                      size="compact-sm"
                      onClick={() => {
                        setPressed(change.revision);
                        undo.press(change.revision, { own: false });
                      }}
                      loading={undo.busy && pressed === change.revision}
                      data-testid={`undo-${change.revision}`}
                    >
                      {t("undo-look")}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
          );
        }}
      </LiveContent>
    </Panel>
  );
}
