import type { Locator } from "playwright-core";

/** What a CodeMirror shows, whole: its lines are elements, and short texts have them all. */
export const codeText = (content: Locator): Promise<string> =>
  content.evaluate((element) =>
    [...element.querySelectorAll(".cm-line")]
      .map((line) => (line.textContent ?? "").replaceAll("\u200b", ""))
      .join("\n"),
  );

/** In place of all that stands there, as somebody who pastes. */
export async function writeCode(content: Locator, text: string): Promise<void> {
  await content.focus();
  await content.press("Control+A");
  await content.page().keyboard.insertText(text);
}
