import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { lintGutter, lintKeymap } from "@codemirror/lint";
import { openSearchPanel } from "@codemirror/search";
import { EditorState, type Extension, Prec } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  rectangularSelection,
} from "@codemirror/view";
import { completeYaml } from "./completion.ts";
import { documentation } from "./hover.ts";
import { markedLine } from "./marked-line.ts";
import { isFromOutside } from "./replace-text.ts";
import { readOnly, shownYaml } from "./setup.ts";

export interface ViewOptions {
  label: string;
  testId: string;
  phrases: Record<string, string>;
  readOnly: boolean;
  searching: boolean;
  onChange: (text: string) => void;
  onApply: () => void;
}

/** An editor in an element. Tab indents; Escape, then Tab leaves it, as CodeMirror has it. */
export function createView(parent: HTMLElement, doc: string, options: ViewOptions): EditorView {
  const extensions: Extension[] = [
    shownYaml(options.phrases),
    documentation(),
    markedLine,
    EditorView.contentAttributes.of({ "aria-label": options.label, "data-testid": options.testId, tabindex: "0" }),
    options.readOnly ? readOnly : written(options),
  ];
  const view = new EditorView({ parent, state: EditorState.create({ doc, extensions }) });
  if (options.searching) {
    const focused = document.activeElement;
    openSearchPanel(view);
    // Opening it takes the focus, which nobody has given away here.
    if (focused instanceof HTMLElement && focused !== document.activeElement) focused.focus();
  }
  return view;
}

const written = ({ onChange, onApply }: ViewOptions): Extension => [
  history(),
  drawSelection(),
  rectangularSelection(),
  highlightActiveLine(),
  highlightActiveLineGutter(),
  lintGutter(),
  autocompletion({ override: [completeYaml], icons: false }),
  Prec.highest(
    keymap.of([
      {
        key: "Mod-Enter",
        run: () => {
          onApply();
          return true;
        },
      },
    ]),
  ),
  keymap.of([...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab]),
  EditorView.contentAttributes.of({ "aria-describedby": "yaml-editor-help", spellcheck: "false" }),
  EditorView.updateListener.of((update) => {
    if (update.docChanged && !update.transactions.some(isFromOutside)) onChange(update.state.doc.toString());
  }),
];
