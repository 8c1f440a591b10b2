import { type PageKey, pages } from "./pages.ts";

/** What a key without Ctrl, Alt or Meta does wherever no field has the focus. */
export type ShortcutAction = { kind: "page"; key: PageKey; href: string } | { kind: "map" } | { kind: "find" };

export interface KeyStep {
  action: ShortcutAction | null;
  /** `g` was pressed, and a letter may follow. */
  waiting: boolean;
}

/** How long `g` waits for its letter, milliseconds. */
export const letterPatienceMs = 1500;

/** One key after another: `g` and a page's letter, `?` for the map, `/` for the page's filter or, without one, the palette. */
export function nextKey(waiting: boolean, key: string): KeyStep {
  if (waiting) {
    const page = pages.find(({ letter }) => letter === key.toLowerCase());
    return { action: page ? { kind: "page", key: page.key, href: page.href } : null, waiting: false };
  }
  if (key === "g") return { action: null, waiting: true };
  if (key === "?") return { action: { kind: "map" }, waiting: false };
  if (key === "/") return { action: { kind: "find" }, waiting: false };
  return { action: null, waiting: false };
}

/** The keys of everything but pages, for the map: what they do, by message key, and where. */
export const shortcutGroups = [
  {
    title: "everywhere",
    keys: [
      { keys: ["Mod", "K"], does: "palette" },
      { keys: ["?"], does: "map" },
      { keys: ["/"], does: "find" },
      { keys: ["Esc"], does: "close" },
    ],
  },
  {
    title: "slider",
    keys: [
      { keys: ["←", "→"], does: "slide-one" },
      { keys: ["Shift", "←", "→"], does: "slide-ten" },
    ],
  },
  {
    title: "graph",
    keys: [
      { keys: ["Tab"], does: "graph-next" },
      { keys: ["Enter"], does: "graph-open" },
      { keys: ["Esc"], does: "graph-leave" },
    ],
  },
  {
    title: "editor",
    keys: [
      { keys: ["Mod", "Enter"], does: "editor-apply" },
      { keys: ["Esc", "Tab"], does: "editor-leave" },
    ],
  },
] as const;
