"use client";
import styles from "./code.module.css";
import { usePhrases } from "./phrases.ts";
import { useLoaded } from "./use-loaded.ts";

const load = () => import("./merge-diff.tsx");

export interface CodeDiffProps {
  before: string;
  after: string;
  label: string;
}

/** What a change adds and takes away, in CodeMirror's merge view; nothing until that is there. */
export function CodeDiff(props: CodeDiffProps) {
  const phrases = usePhrases();
  const module = useLoaded(load);
  if (!module) return <div className={styles.plainDiff} />;
  return <module.MergeDiff {...props} phrases={phrases} />;
}
