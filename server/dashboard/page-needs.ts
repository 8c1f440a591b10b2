import { type Need, wholeMesh } from "../contract/index.ts";

const administration: Readonly<Record<string, Need>> = {
  "/users": { role: "administrator" },
  "/audit": { role: "administrator", namespace: wholeMesh },
};

/** What stands in `public/`, and what Next's pages are made of: no word of the mesh is in them. */
const open = ["/sign-in", "/icon.svg", "/favicon.ico"];

/** Who may see a page. */
export function needOfPage(path: string): "everybody" | Need {
  const decoded = decodeURIComponent(path); // a path that can't be decoded has been refused before
  // What leads up again, or is written in a way that somebody further on may read otherwise, is no part of a page.
  const isPlain = /^[\w/.~@%+[\]()-]+$/.test(decoded) && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(decoded);
  if (open.includes(path) || (isPlain && path.startsWith("/_next/static/"))) return "everybody";
  return administration[`/${decoded.split("/")[1] ?? ""}`] ?? { role: "viewer" };
}

/** The sign-in page, which leads back to `url` afterwards. */
export function signInAddress(url: string): string {
  const [path = "/", query = ""] = url.split("?", 2);
  const parameters = new URLSearchParams(query);
  parameters.delete("_rsc"); // Next's own, of a navigation within the page
  const back = parameters.size > 0 ? `${path}?${parameters}` : path;
  return back === "/" ? "/sign-in" : `/sign-in?${new URLSearchParams({ next: back })}`;
}
