"use client";
import { useTranslations } from "use-intl";
import type { Change, ChangeList } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useChanges } from "../lib/queries.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { ChangeRows } from "./change-rows.tsx";
import { useUndoButtons } from "./undo-button.tsx";

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
  const live = useChanges({ sinceMs: 0, limit }, initial);
  const undo = useUndoButtons(live.data?.changes ?? []);
  return (
    <Panel title={title} flush data-testid="history">
      {undo.dialog}
      <LiveContent live={live} skeleton={<TableSkeleton rows={4} columns={3} />}>
        {({ changes }) => {
          const shown = changes.filter((change) => matches?.(change) ?? true);
          if (shown.length === 0) return <EmptyState title={none ?? t("history-none")} />;
          return <ChangeRows changes={shown} actions={undoable ? undo.button : undefined} />;
        }}
      </LiveContent>
    </Panel>
  );
}
