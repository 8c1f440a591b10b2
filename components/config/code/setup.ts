import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, codeFolding, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import { EditorView, keymap, lineNumbers } from "@codemirror/view";
import { limpidTheme } from "./theme.ts";

/** What everything that shows YAML has: colours, numbers, folding, search. */
export const shownYaml = (phrases: Record<string, string>): Extension => [
  styleNonce(),
  yaml(),
  limpidTheme,
  lineNumbers(),
  codeFolding(),
  foldGutter(),
  bracketMatching(),
  search({ top: true }),
  highlightSelectionMatches(),
  indentUnit.of("  "),
  indentOnInput(),
  EditorState.phrases.of(phrases),
  keymap.of([...searchKeymap, ...foldKeymap]),
];

/** CodeMirror writes `<style>` elements: a policy without 'unsafe-inline' for styles lets those in that carry the page's nonce. */
function styleNonce(): Extension {
  const nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce;
  return nonce ? EditorView.cspNonce.of(nonce) : [];
}

/** To be read and not written; reached by keyboard, since it scrolls. */
export const readOnly: Extension = [
  EditorState.readOnly.of(true),
  EditorView.editable.of(false),
  EditorView.contentAttributes.of({ tabindex: "0", "aria-readonly": "true" }),
];
