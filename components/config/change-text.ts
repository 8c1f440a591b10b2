import { useCallback } from "react";
import { useTranslations } from "use-intl";
import { type Change, type ChangeWord, machineAuthor, unknownAuthor } from "../../server/contract/index.ts";

/** The translator of the messages `change`. */
export type ChangeTranslator = ReturnType<typeof useTranslations<"change">>;

/** What a change does, in the reader's language. */
export function useChangeText(): (change: Pick<Change, "words">) => string {
  const t = useTranslations("change");
  return useCallback(({ words }) => changeText(words, t), [t]);
}

/** Who made a change. */
export function useAuthor(): (author: string) => string {
  const t = useTranslations("change");
  return (author) =>
    author === unknownAuthor ? t("unknown-author") : author === machineAuthor ? t("machine-author") : author;
}

export function changeText(words: readonly ChangeWord[], t: ChangeTranslator): string {
  const [first, ...others] = words;
  if ((first?.code === "undo" || first?.code === "restore") && others.length > 0) {
    const values = { revision: String(first.revision), what: changeText(others, t) };
    return first.code === "undo" ? t("undo-what", values) : t("restore-what", values);
  }
  return joined(
    words.map((word) => wordText(word, t)),
    (first, rest) => t("joined", { first, rest }),
  );
}

function wordText(word: ChangeWord, t: ChangeTranslator): string {
  const weights = (text: string | null) => text ?? t("every-version");
  switch (word.code) {
    case "shift":
      return t("shift", { service: word.service, before: weights(word.before), after: weights(word.after) });
    case "split":
      return t("split", word);
    case "fault-start":
      return t("fault-start", { service: word.service, what: faultText(word, t) });
    case "fault-end":
      return t("fault-end", word);
    case "fault-over":
      return t("fault-over", word);
    case "canary":
      return t(`canary-${word.event}`, { canary: word.canary, version: word.version, weight: word.weight });
    case "objects": {
      const names = word.names.length > 0 ? word.names : [t("objects", { count: word.count })];
      return t(`objects-${word.type}`, { names: joined(names, (first, rest) => t("name-next", { first, rest })) });
    }
    case "undo":
    case "restore":
      return t(word.code, { revision: String(word.revision) });
    case "design":
      return t("design", word);
    case "limpid":
      return t(`limpid-${word.what}`);
    case "own":
      return word.text;
  }
}

function faultText({ delay, abort }: Extract<ChangeWord, { code: "fault-start" }>, t: ChangeTranslator): string {
  const late = delay && t("delay", { share: delay.percentage, time: spaced(delay.time) });
  const ended = abort && abortText(abort, t);
  return late && ended ? t("both", { first: late, second: ended }) : (late ?? ended ?? "");
}

/** `2s` as a file has it, with the space that every unit here has. */
const spaced = (time: string): string => time.replace(/^([\d.]+)(ms|s)$/, "$1 $2");

const abortText = (
  { percentage: share, status }: { percentage: number; status: string | null },
  t: ChangeTranslator,
) => (status === null ? t("aborted", { share }) : t("abort", { share, status }));

const joined = (parts: readonly string[], join: (first: string, rest: string) => string): string =>
  parts.length === 0 ? "" : parts.reduceRight((rest, first) => join(first, rest));
