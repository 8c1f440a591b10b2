"use client";
import { useMemo } from "react";
import { useTranslations } from "use-intl";

/** What CodeMirror says by itself, in the reader's language. https://codemirror.net/examples/translate/ */
export function usePhrases(): Record<string, string> {
  const t = useTranslations("code");
  return useMemo(
    () => ({
      Find: t("find"),
      Replace: t("replace"),
      next: t("next"),
      previous: t("previous"),
      all: t("all"),
      "match case": t("case"),
      regexp: t("regexp"),
      "by word": t("word"),
      replace: t("replace-one"),
      "replace all": t("replace-all"),
      close: t("close"),
      "current match": t("current-match"),
      "on line": t("on-line"),
      "replaced $ matches": t("replaced"),
      "replaced match on line $": t("replaced-on"),
      "Go to line": t("go-to-line"),
      go: t("go"),
      Diagnostics: t("diagnostics"),
      "No diagnostics": t("diagnostics-none"),
      Completions: t("completions"),
      "Fold line": t("fold"),
      "Unfold line": t("unfold"),
      "Folded lines": t("folded"),
      "Unfolded lines": t("unfolded"),
      "folded code": t("folded-code"),
      unfold: t("unfold"),
      to: t("to"),
      "$ unchanged lines": t("unchanged"),
      "Control character": t("control-character"),
      "Selection deleted": t("selection-deleted"),
      "Revert this chunk": t("take"),
    }),
    [t],
  );
}
