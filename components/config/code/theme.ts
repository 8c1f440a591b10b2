import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

/** A version's colour is made for marks: as ink it is nearer to the page's own. */
const ink = (color: string): string => `color-mix(in srgb, var(${color}) 68%, var(--ink))`;

const highlight = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: tags.string, color: ink("--v5") },
  { tag: [tags.number, tags.bool, tags.null], color: ink("--v4") },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace, tags.meta], color: "var(--ink-2)" },
  { tag: [tags.labelName, tags.typeName], color: ink("--v2") },
]);

/** Plain scalars are `content`: the ink of the page. */
const look = EditorView.theme({
  "&": { backgroundColor: "var(--panel)", color: "var(--ink)", fontSize: "12.5px" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "20px", overflow: "auto" },
  ".cm-content": { padding: "10px 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 16px 0 8px" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--panel)", color: "var(--ink-3)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "34px", paddingRight: "8px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--ink) 4%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 26%, transparent)",
  },
  ".cm-marked": { backgroundColor: "var(--warn-soft)", boxShadow: "inset 3px 0 var(--warn)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--raised)", border: "1px solid var(--line)", color: "var(--ink-2)" },
  ".cm-searchMatch": { backgroundColor: "var(--warn-soft)", outline: "1px solid var(--warn)" },
  ".cm-searchMatch-selected": { backgroundColor: "color-mix(in srgb, var(--warn) 40%, transparent)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn)" },
  ".cm-diagnostic": { fontFamily: "var(--font)", fontSize: "12.5px" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    border: "1px solid var(--line)",
    borderRadius: "6px",
    boxShadow: "var(--shadow)",
    color: "var(--ink)",
    maxWidth: "min(440px, 90vw)",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--ink-2)", fontStyle: "normal" },
  ".cm-completionInfo, .cm-explained": { padding: "8px 10px", font: "12.5px / 1.5 var(--font)" },
  ".cm-explained code": { font: "500 12px var(--mono)", overflowWrap: "anywhere" },
  ".cm-explained p": { margin: "4px 0 0", color: "var(--ink-2)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--ink)", borderColor: "var(--line)" },
  ".cm-panel.cm-search": { padding: "6px 10px", fontFamily: "var(--font)" },
  ".cm-panel.cm-search label": { fontSize: "12px" },
  ".cm-panel .cm-textfield, .cm-panel .cm-button": {
    background: "var(--panel)",
    border: "1px solid var(--line)",
    borderRadius: "5px",
    color: "var(--ink)",
    fontSize: "12px",
  },
  ".cm-panel.cm-search [name=close]": { color: "var(--ink-2)" },
});

/** Signs beside colours, for whoever tells none apart. */
const changes = EditorView.theme({
  ".cm-changedLine, .cm-insertedLine": { backgroundColor: "color-mix(in srgb, var(--ok) 7%, transparent)" },
  // A line below it and no ground: keys must be readable on it.
  "&.cm-merge-b .cm-changedText, .cm-insertedLine .cm-changedText": {
    background: "none",
    boxShadow: "inset 0 -2px color-mix(in srgb, var(--ok) 55%, transparent)",
  },
  ".cm-deletedChunk": { backgroundColor: "var(--bad-soft)", padding: 0 },
  "&.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText": {
    background: "none",
    boxShadow: "inset 0 -2px color-mix(in srgb, var(--bad) 55%, transparent)",
    textDecoration: "none",
  },
  ".cm-collapsedLines": {
    background: "var(--raised)",
    color: "var(--ink-2)",
    font: "11px / 2 var(--font)",
    padding: "0 16px",
  },
  ".cm-collapsedLines:before, .cm-collapsedLines:after": { content: '"⋯"', marginInline: "6px" },
  ".cm-changeGutter": { width: "3px", paddingLeft: 0 },
  ".cm-changedLineGutter": { background: "var(--ok)" },
  ".cm-deletedLineGutter": { background: "var(--bad)" },
});

/** The signs stand where the sign column of a diff does. */
export const signs = EditorView.theme({
  ".cm-line": { paddingLeft: "26px", position: "relative" },
  ".cm-deletedLine": { padding: "0 16px 0 26px", position: "relative" },
  ".cm-changedLine::before, .cm-insertedLine::before": {
    content: '"+"',
    position: "absolute",
    left: "10px",
    color: "var(--ok)",
  },
  ".cm-deletedLine::before": { content: '"-"', position: "absolute", left: "10px", color: "var(--bad)" },
});

export const limpidTheme = [look, changes, syntaxHighlighting(highlight)];
