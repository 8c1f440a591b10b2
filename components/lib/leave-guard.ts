"use client";
import { useEffect } from "react";

/** What would be lost if the page were left now, by a question each. */
const guards = new Set<string>();

/** Asks when something would be lost; true when the page may be left. */
export const mayLeave = (ask: (question: string) => boolean = (question) => window.confirm(question)): boolean =>
  [...guards].every((question) => ask(question));

/** While `active`, leaving the page by a link, the palette or the window asks first. */
export function useLeaveGuard(active: boolean, question: string): void {
  useEffect(() => {
    if (!active) return;
    guards.add(question);
    const onUnload = (event: BeforeUnloadEvent) => event.preventDefault();
    const onClick = (event: MouseEvent) => {
      if (!leavesByLink(event) || mayLeave()) return;
      event.preventDefault();
      event.stopPropagation();
    };
    window.addEventListener("beforeunload", onUnload);
    // Before the router's own listener, which hangs on the root.
    window.addEventListener("click", onClick, { capture: true });
    return () => {
      guards.delete(question);
      window.removeEventListener("beforeunload", onUnload);
      window.removeEventListener("click", onClick, { capture: true });
    };
  }, [active, question]);
}

/** A plain press on a link that replaces this page; one that opens another tab loses nothing. */
function leavesByLink(event: MouseEvent): boolean {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return false;
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!(link instanceof HTMLAnchorElement) || link.target === "_blank") return false;
  const to = new URL(link.href);
  return to.pathname !== window.location.pathname || to.origin !== window.location.origin;
}
