import type { Point } from "./layout.ts";

/** A way to look at the graph, as this browser keeps it: the page's address, and what was dragged where. */
export interface SavedView {
  name: string;
  /** Without `?`. */
  query: string;
  /** Of a graph that goes to the right. */
  places: Record<string, Point>;
}

const key = "limpid.views";
const keptAtMost = 50;

/** What is no list of views is none; a storage that refuses (private mode) has none. */
export function readViews(storage: Pick<Storage, "getItem">): SavedView[] {
  try {
    const value: unknown = JSON.parse(storage.getItem(key) ?? "[]");
    return Array.isArray(value) ? value.filter(isView) : [];
  } catch {
    return [];
  }
}

/** The newest first; one of the same name gives way. False where it can't be kept. */
export function saveView(storage: Pick<Storage, "getItem" | "setItem">, view: SavedView): boolean {
  const others = readViews(storage).filter(({ name }) => name !== view.name);
  return write(storage, [view, ...others].slice(0, keptAtMost));
}

export const deleteView = (storage: Pick<Storage, "getItem" | "setItem">, name: string): boolean =>
  write(
    storage,
    readViews(storage).filter((view) => view.name !== name),
  );

function write(storage: Pick<Storage, "setItem">, views: readonly SavedView[]): boolean {
  try {
    storage.setItem(key, JSON.stringify(views));
    return true;
  } catch {
    return false;
  }
}

const isView = (value: unknown): value is SavedView =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as SavedView).name === "string" &&
  typeof (value as SavedView).query === "string" &&
  typeof (value as SavedView).places === "object";

/** The part of an address that is how the graph is looked at: of no moment, and of nothing that is selected. */
export function viewQuery(search: string): string {
  const params = new URLSearchParams(search);
  for (const name of ["at", "select", "trace"]) params.delete(name);
  params.sort();
  return params.toString();
}
