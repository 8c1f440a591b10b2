"use client";
import { useRef } from "react";
import styles from "./code.module.css";
import { usePhrases } from "./phrases.ts";
import { useLoaded } from "./use-loaded.ts";
import { useSeen } from "./use-seen.ts";

const load = () => import("./merge-diff.tsx");

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
  const module = useLoaded(load);
  return (
    <div ref={place} className={styles.place}>
      {module && isSeen && <module.MergeDiff {...props} phrases={phrases} />}
    </div>
  );
}
