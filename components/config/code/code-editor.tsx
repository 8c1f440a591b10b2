"use client";
import { loadable, useLoaded } from "../../ui/use-loaded.ts";
import type { CodeMark } from "./marks.ts";
import { usePhrases } from "./phrases.ts";
import { PlainCode } from "./plain-code.tsx";

const codeMirror = loadable(() => import("./code-mirror.tsx"));

export interface CodeEditorProps {
  value: string;
  /** Unset: to be read only. */
  onChange?: (value: string) => void;
  label: string;
  marks?: readonly CodeMark[];
  /** To be shown and marked, counting from one. */
  line?: number | null;
  /** Ctrl or ⌘ with Enter. */
  onApply?: () => void;
  testId: string;
  /** The search stands open from the beginning. */
  searching?: boolean;
  /** What somebody asked to be led to; again with every new object. */
  reveal?: { mark: CodeMark } | null;
}

/** YAML to read or to write, in CodeMirror; plain text until that is there, so that no other page pays for it. */
export function CodeEditor(props: CodeEditorProps) {
  const phrases = usePhrases();
  const module = useLoaded(codeMirror);
  if (!module) return <PlainCode text={props.value} />;
  return <module.CodeMirror {...props} phrases={phrases} />;
}
