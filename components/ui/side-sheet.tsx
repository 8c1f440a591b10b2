"use client";
import { Drawer } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { type ReactNode, useEffect, useRef } from "react";
import styles from "./side-sheet.module.css";

export interface SideSheetProps {
  label: string;
  onClose: () => void;
  children: ReactNode;
}

/** Details beside the page on a wide screen; a sheet from below on a phone. */
export function SideSheet({ label, onClose, children }: SideSheetProps) {
  const phone = useMediaQuery("(max-width: 640px)", false);
  useEscape(onClose, !phone);
  if (phone) {
    return (
      <Drawer.Root opened onClose={onClose} position="bottom" size="70%" padding={0} radius={12}>
        <Drawer.Overlay />
        {/* The dialog has the name; Mantine's short form gives it to a plain div around it. */}
        <Drawer.Content aria-label={label}>
          <Drawer.Body data-testid="side-panel">{children}</Drawer.Body>
        </Drawer.Content>
      </Drawer.Root>
    );
  }
  return (
    <aside className={styles.side} aria-label={label} data-testid="side-panel">
      {children}
    </aside>
  );
}

/** From wherever the focus is, unless something else has a use for it: a dialog, a menu, a field. */
function useEscape(onEscape: () => void, active: boolean): void {
  const latest = useRef(onEscape);
  latest.current = onEscape;
  useEffect(() => {
    if (!active) return;
    const onKey = (event: KeyboardEvent) => {
      const at = event.target instanceof Element ? event.target : null;
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (at?.closest("input, textarea, [role=dialog], [role=menu], [role=slider]")) return;
      latest.current();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [active]);
}

export function SideSection({ children, flush = false }: { children: ReactNode; flush?: boolean }) {
  return <section className={flush ? styles.flush : styles.section}>{children}</section>;
}
