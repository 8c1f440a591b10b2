"use client";
import { useRef } from "react";
import { loadable, useLoaded } from "../../ui/use-loaded.ts";
import styles from "./code.module.css";
import { diffRows } from "./diff-rows.ts";
import { usePhrases } from "./phrases.ts";
import { useSeen } from "./use-seen.ts";

const mergeDiff = loadable(() => import("./merge-diff.tsx"));

/** As code.module.css and theme.ts have them, in pixels. */
const [rowHeight, around, mostHeight] = [20, 20, 420];

export interface CodeDiffProps {
  before: string;
  after: string;
  label: string;
}

/** What a change adds and takes away, in CodeMirror's merge view; nothing until that is there, and in sight. */
export function CodeDiff(props: CodeDiffProps) {
  const phrases = usePhrases();
  const place = useRef<HTMLDivElement>(null);
  const isSeen = useSeen(place);
  const module = useLoaded(mergeDiff);
  const isShown = module !== null && isSeen;
  return (
    // Of about the size that it will have: whatever stands below must not jump when it comes.
    <div
      ref={place}
      className={styles.place}
      {...(!isShown && {
        style: { height: Math.min(mostHeight, diffRows(props.before, props.after) * rowHeight + around) },
      })}
    >
      {isShown && <module.MergeDiff {...props} phrases={phrases} />}
    </div>
  );
}
