"use client";
import { Button } from "@mantine/core";
import { useEffect, useMemo, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { useChanges } from "../../lib/queries.ts";
import { Moment } from "../../ui/quantity.tsx";
import { loadable, useLoaded } from "../../ui/use-loaded.ts";
import { useAuthor, useChangeText } from "../change-text.ts";
import { usePhrases } from "../code/phrases.ts";
import { PlainCode } from "../code/plain-code.tsx";
import { ConflictChoice } from "./conflict-choice.tsx";
import styles from "./merge.module.css";
import { type Choice, conflictsOf, mergedText, mergeThree } from "./three-way.ts";

export interface ConflictMergeProps {
  object: { kind: string; namespace: string; name: string };
  /** What the draft was made of, the draft, and what somebody has written meanwhile. */
  base: string;
  mine: string;
  theirs: string;
  /** Goes on with a text that has been made of both. */
  onMerged: (text: string) => void;
  onTheirs: () => void;
}

const sideBySide = loadable(() => import("./side-by-side.tsx"));

/** Somebody else was faster: who, when and what; what fits together is put together, and the rest is chosen place by place. */
export function ConflictMerge({ object, base, mine, theirs, onMerged, onTheirs }: ConflictMergeProps) {
  const t = useTranslations("merge");
  const phrases = usePhrases();
  const module = useLoaded(sideBySide);
  const chunks = useMemo(() => mergeThree(base, mine, theirs), [base, mine, theirs]);
  const conflicts = conflictsOf(chunks);
  const [choices, setChoices] = useState<(Choice | null)[]>([]);
  const [edited, setEdited] = useState<string | null>(null);
  const place = useRef<HTMLElement>(null);
  useEffect(() => {
    // What it gives back in newer browsers is no clean-up.
    void place.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const merged = edited ?? mergedText(chunks, choices);
  const open = conflicts.filter((_, i) => !choices[i]).length;
  const labels = useMemo(() => ({ theirs: t("theirs-text"), merged: t("merged-text") }), [t]);
  return (
    <section ref={place} className={styles.merge} aria-label={t("title")} data-testid="conflict">
      <div role="alert">
        <Theirs object={object} />
        <p>{conflicts.length === 0 ? t("fits") : t("conflicts", { count: conflicts.length })}</p>
      </div>
      {conflicts.map((conflict, i) => (
        <ConflictChoice
          key={conflict.line}
          conflict={conflict}
          number={i + 1}
          choice={choices[i] ?? null}
          onChoice={(choice) => {
            setChoices(conflicts.map((_, at) => (at === i ? choice : (choices[at] ?? null))));
            setEdited(null);
          }}
        />
      ))}
      <div className={styles.view}>
        <div className={styles.heads} aria-hidden>
          <span>{labels.theirs}</span>
          <span>{labels.merged}</span>
        </div>
        {module ? (
          <module.SideBySide theirs={theirs} merged={merged} onMerged={setEdited} labels={labels} phrases={phrases} />
        ) : (
          <PlainCode text={merged} />
        )}
      </div>
      <div className={styles.buttons}>
        <Button
          variant="filled"
          onClick={() => onMerged(merged)}
          disabled={open > 0 && edited === null}
          data-testid="conflict-merged"
        >
          {t("use")}
        </Button>
        <Button onClick={onTheirs} data-testid="conflict-theirs">
          {t("take-theirs")}
        </Button>
        <Button onClick={() => onMerged(mine)} data-testid="conflict-mine">
          {t("take-mine")}
        </Button>
        {open > 0 && edited === null && <span className="muted">{t("open", { count: open })}</span>}
      </div>
    </section>
  );
}

/** The newest change of the object. */
function Theirs({ object }: Pick<ConflictMergeProps, "object">) {
  const t = useTranslations("merge");
  const said = useChangeText();
  const authorOf = useAuthor();
  const changes = useChanges({ sinceMs: 0, limit: 50 }).data?.changes ?? [];
  const change = changes.find(({ objects }) =>
    objects.some(
      ({ kind, namespace, name }) => kind === object.kind && namespace === object.namespace && name === object.name,
    ),
  );
  if (!change) return <p>{t("somebody")}</p>;
  return (
    <p>
      <b>{t("by", { author: authorOf(change.author) })}</b> <Moment ms={change.at} /> · {said(change)}
    </p>
  );
}
