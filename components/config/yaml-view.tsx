"use client";
import { CodeEditor } from "./code/code-editor.tsx";

/** YAML to read: numbered lines in colour, to fold and to search. Long texts scroll. */
export const YamlView = ({ text, label }: { text: string; label: string }) => (
  <CodeEditor value={text.trimEnd()} label={label} testId="yaml-view" />
);
