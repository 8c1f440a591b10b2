"use client";
import { useTranslations } from "use-intl";
import { useErrorText } from "../lib/error-text.ts";
import type { CodeMark } from "./code/marks.ts";
import type { ApplyState } from "./use-apply.ts";

/** What the dry run said of one of the texts that it was given: errors, else warnings of the object that is in it, and what proxies would refuse of it. */
export function useTextMarks(
  { errors, plan }: ApplyState,
  { index, kind, name }: { index: number; kind: string; name: string },
): CodeMark[] {
  const textOf = useErrorText();
  const t = useTranslations("safety");
  const wrong = errors
    .filter((error) => error.text === index)
    .map((error): CodeMark => ({ severity: "error", message: textOf(error), path: error.path, line: error.line }));
  const odd = (plan?.warnings ?? [])
    .filter((warning) => warning.path !== "" && warning.kind === kind && warning.name === name)
    .map((warning): CodeMark => ({ severity: "warning", message: textOf(warning), path: warning.path, line: null }));
  const refused = (plan?.refusals ?? []).flatMap(({ object, place, proxies, detail }): CodeMark[] =>
    place && object?.kind === kind && object.name === name
      ? [
          {
            severity: "warning",
            message: `${t("foretold", { proxies: proxies.slice(0, 8).join(t("comma")) })} ${detail}`,
            path: `spec.${place.path}`,
            line: null,
          },
        ]
      : [],
  );
  return [...wrong, ...refused, ...odd];
}
