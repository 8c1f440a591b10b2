"use client";
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { wholeMesh, withoutFilledIn } from "../../server/contract/index.ts";
import { lineOfRule } from "../../server/wire/yaml-place.ts";
import { useLeaveGuard } from "../lib/leave-guard.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import type { ChangeView } from "./change-views.tsx";
import type { ConfigDocument } from "./config-queries.ts";
import { ConflictMerge } from "./merge/conflict-merge.tsx";
import { ObjectEditor } from "./object-editor.tsx";
import { useApply } from "./use-apply.ts";

interface Draft {
  text: string;
  /** What it was made of, and of which version that was. */
  base: string;
  version: string;
}

/** One object's YAML on its way to another, or away. */
export function ObjectDraft({ document }: { document: ConfigDocument }) {
  const t = useTranslations("config");
  const url = useUrlState();
  const stored = withoutFilledIn(document.yaml);
  const { kind, namespace, name, resourceVersion } = document;
  const may = useMay()("operator", namespace || wholeMesh);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [isGoing, setGoing] = useState(false);
  const [view, setView] = useState<ChangeView>("yaml");
  const dirty = isGoing || (draft !== null && draft.text !== stored);
  const version = draft?.version ?? resourceVersion;
  const state = useApply(
    !dirty
      ? null
      : isGoing
        ? { texts: [], removed: [{ kind, namespace, name, resourceVersion }] }
        : { texts: [{ text: draft?.text ?? stored, resourceVersion: version }] },
    { envoy: view === "envoy" },
  );
  useLeaveGuard(dirty, t("leave", { name }));
  // Where a proxy's complaint, or a request's route, points to; of no use any more once the text is another.
  const rule = url.get("rule");
  const line = Number(url.get("line")) || (rule === null ? null : lineOfRule(stored, rule));
  const overtaken = !isGoing && draft !== null && dirty && version !== resourceVersion && !state.busy;
  const forget = () => {
    setDraft(null);
    setGoing(false);
  };
  const apply = async () => {
    if (!dirty || state.error || overtaken) return;
    if (await state.apply()) forget();
  };
  return (
    <ObjectEditor
      title={kind}
      hint={name}
      object={{ kind, name }}
      text={draft?.text ?? stored}
      {...(may && { onText: (text: string) => setDraft({ base: draft?.base ?? stored, version, text }) })}
      line={draft === null ? line : null}
      dirty={dirty}
      state={state}
      onApply={() => void apply()}
      onDiscard={forget}
      typed={draft !== null && draft.text !== stored}
      view={view}
      onView={setView}
      actions={
        may && (
          // Not disabled when it is pressed: the focus would be gone with it.
          <Button
            size="compact-sm"
            onClick={() => setGoing(!isGoing)}
            aria-pressed={isGoing}
            variant={isGoing ? "light" : "default"}
            data-testid="delete-object"
          >
            {t("delete")}
          </Button>
        )
      }
      {...(overtaken && {
        conflict: (
          <ConflictMerge
            object={document}
            base={draft.base}
            mine={draft.text}
            theirs={stored}
            onTheirs={forget}
            onMerged={(text) => setDraft({ text, base: stored, version: resourceVersion })}
          />
        ),
      })}
    />
  );
}
