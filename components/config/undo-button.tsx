"use client";
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import type { Change } from "../../server/contract/index.ts";
import { compareHref } from "../lib/links.ts";
import { useChanges } from "../lib/queries.ts";
import { useMay } from "../lib/session.tsx";
import { Link } from "../ui/link.tsx";
import { laterChange } from "./later-change.ts";
import { useUndo } from "./use-undo.tsx";

/**
 * The way back of each of a list's changes. Undo ends when a change is not the last word on its objects any more; what it did can then be
 * looked at, and restored. `known`: the newest changes, whatever the list shows.
 */
export function useUndoButtons(known: readonly Change[]): { button: (change: Change) => ReactNode; dialog: ReactNode } {
  const t = useTranslations("config");
  const [pressed, setPressed] = useState<number | null>(null);
  const undo = useUndo(() => setPressed(null));
  const may = useMay();
  const button = (change: Change): ReactNode => {
    const { revision } = change;
    if (isWayBack(change)) return null;
    const later = laterChange(change, known);
    if (later) {
      return (
        <Link
          className="link"
          href={compareHref(`r${revision - 1}`, `r${revision}`)}
          title={t("overtaken-by", { revision: later.revision })}
          data-testid={`overtaken-${revision}`}
        >
          {t("changed-since", { revision: later.revision })}
        </Link>
      );
    }
    if (!change.objects.every(({ namespace }) => may("operator", namespace || "*"))) return null;
    return (
      <Button
        size="compact-sm"
        onClick={() => {
          setPressed(revision);
          undo.press(revision, { own: false });
        }}
        loading={undo.busy && pressed === revision}
        data-testid={`undo-${revision}`}
      >
        {t("undo-look")}
      </Button>
    );
  };
  return { button, dialog: undo.dialog };
}

/** A canary that went back has left nothing to take back. */
const isWayBack = ({ words: [word] }: Change): boolean =>
  word?.code === "canary" && (word.event === "rollback" || word.event === "aborted");

/** What was written over a change that was made on this page; undefined while its undo is its own. */
export function useLaterChange(revision: number | null): Change | undefined {
  const changes = useChanges({ sinceMs: 0, limit: 50 }).data?.changes ?? [];
  const own = changes.find((change) => change.revision === revision);
  return own && laterChange(own, changes);
}
