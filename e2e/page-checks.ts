import type { Page } from "playwright-core";

/** Roles that a person acts on: each must say what it is. https://www.w3.org/TR/wai-aria-1.2/#namefromprohibited */
const acting = new Set([
  "button",
  "link",
  "textbox",
  "searchbox",
  "checkbox",
  "radio",
  "combobox",
  "slider",
  "spinbutton",
  "switch",
  "tab",
  "menuitem",
  "menuitemradio",
  "menuitemcheckbox",
  "option",
  "dialog",
]);

/** Runs in the page: how much of it has jumped without anybody's doing, and which animations run. */
export async function stillness() {
  const entries = await new Promise<PerformanceEntry[]>((done) => {
    const seen: PerformanceEntry[] = [];
    const observer = new PerformanceObserver((list) => seen.push(...list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => done([...seen, ...observer.takeRecords()])));
  });
  interface Shift extends PerformanceEntry {
    value: number;
    hadRecentInput: boolean;
    sources: { node: Element | null; previousRect: DOMRect; currentRect: DOMRect }[];
  }
  const shifts = (entries as Shift[]).filter(({ hadRecentInput }) => !hadRecentInput);
  const of = shifts.flatMap(({ value, sources }) =>
    sources.map(
      ({ node, previousRect: from, currentRect: to }) =>
        `${value.toFixed(3)} ${node?.nodeName} ${node?.className ?? ""} ${from.x},${from.y} → ${to.x},${to.y}`,
    ),
  );
  const moving = document
    .getAnimations()
    .filter((animation) => Number(animation.effect?.getComputedTiming().activeDuration ?? 0) > 1)
    .map((animation) => (animation as CSSAnimation).animationName ?? animation.id);
  return { shift: { sum: shifts.reduce((sum, { value }) => sum + value, 0), of: of.slice(0, 8) }, moving };
}

/** Controls that Chromium's own accessibility tree has no name for. */
export async function namelessControls(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  const nameless = nodes.filter(
    ({ ignored, role, name }) => !ignored && acting.has(role?.value) && !name?.value?.trim(),
  );
  return Promise.all(
    nameless.map(async ({ role, backendDOMNodeId }) => {
      if (backendDOMNodeId === undefined) return String(role?.value);
      const { outerHTML } = await session.send("DOM.getOuterHTML", { backendNodeId: backendDOMNodeId });
      return `${role?.value}: ${outerHTML.slice(0, 160)}`;
    }),
  );
}

/** What makes the page scroll sideways. Content that scrolls in a box of its own is no trouble. */
export const widerThanScreen = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const scrolls = (element: Element | null): boolean =>
      element !== null &&
      element !== document.body &&
      (/auto|scroll|hidden|clip/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
    const wide =
      document.documentElement.scrollWidth > width ? [`the page: ${document.documentElement.scrollWidth}`] : [];
    const pageBox = document.querySelector("#main > *");
    if (
      pageBox &&
      !/hidden|clip/.test(getComputedStyle(pageBox).overflowX) &&
      pageBox.scrollWidth > pageBox.clientWidth + 1
    )
      wide.push(`main: ${pageBox.scrollWidth}`);
    for (const element of document.querySelectorAll("main *")) {
      const box = element.getBoundingClientRect();
      if (box.width > 0 && box.right > width + 1 && !scrolls(element.parentElement))
        wide.push(`${element.tagName.toLowerCase()}.${element.className} reaches ${Math.round(box.right)}`);
    }
    return wide.slice(0, 10);
  });
