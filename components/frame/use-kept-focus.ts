"use client";
import { useEffect } from "react";

/** Places that are remembered: a dialog may have had many fields since it was opened. */
const remembered = 24;
/** How often it is looked; lost is what is so twice in a row, so that whoever takes the focus by themselves has their turn. */
const everyMs = 200;

/**
 * Whoever works by keyboard or is read to never finds themselves nowhere: when what had the focus is gone (a button that turned into
 * another, a dialog that closed, a row that was deleted), it goes back to where it was before, on this page, or else to the content. A
 * press of a pointer on nothing loses it on purpose.
 */
export function useKeptFocus(): void {
  useEffect(() => {
    let places: { element: HTMLElement; page: string }[] = [];
    let looks = 0;
    const note = ({ target }: FocusEvent) => {
      // The content is where the focus falls to while a button is disabled: the button has it again later.
      if (!(target instanceof HTMLElement) || target.id === "main") return;
      const others = places.filter(({ element }) => element !== target);
      places = [{ element: target, page: window.location.pathname }, ...others].slice(0, remembered);
    };
    const forget = ({ target }: PointerEvent) => {
      // What has it already is not told again that it has it.
      const { activeElement } = document;
      const stays = target instanceof Node && activeElement !== document.body && activeElement?.contains(target);
      places = stays ? places.filter(({ element }) => element === activeElement) : [];
    };
    const look = () => {
      const [last] = places;
      const isLost = document.activeElement === document.body && document.hasFocus() && last !== undefined;
      // A button at work has it again when it is done.
      const isBusy = last?.element.isConnected && last.element.matches("[data-loading]");
      looks = isLost && !isBusy ? looks + 1 : 0;
      if (looks < 2) return;
      const { pathname } = window.location;
      const before = places.find(({ element, page }) => page === pathname && canHold(element))?.element;
      (before ?? document.getElementById("main"))?.focus({ preventScroll: true });
    };
    document.addEventListener("focusin", note);
    window.addEventListener("pointerdown", forget, { capture: true });
    const timer = setInterval(look, everyMs);
    return () => {
      document.removeEventListener("focusin", note);
      window.removeEventListener("pointerdown", forget, { capture: true });
      clearInterval(timer);
    };
  }, []);
}

const canHold = (element: HTMLElement): boolean =>
  element.isConnected &&
  !element.matches(":disabled") &&
  element.closest("[inert], [aria-hidden='true']") === null &&
  element.getClientRects().length > 0;
