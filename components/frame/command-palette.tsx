"use client";
import { useDisclosure, useHotkeys, useOs } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import dynamic from "next/dynamic";
import { type Dispatch, type SetStateAction, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { PartBoundary } from "../ui/part-boundary.tsx";
import { PillButton } from "../ui/pill.tsx";
import styles from "./command-palette.module.css";
import { paletteEvent } from "./palette-signal.ts";

// What it offers reaches into every corner: none of that is needed before it is asked for.
const PaletteDialog = dynamic(() => import("./palette-dialog.tsx").then((module) => module.PaletteDialog), {
  ssr: false,
});

/** Go to or do anything: Ctrl K. */
export function CommandPalette() {
  const t = useTranslations("palette");
  const [text, setText] = useState("");
  const [opened, { open, close }] = useDisclosure(false, { onClose: () => setText("") });
  const [used, setUsed] = useState(false);
  if (opened && !used) setUsed(true);
  // Also from within a field.
  useHotkeys([["mod+K", open]], []);
  useEffect(() => {
    window.addEventListener(paletteEvent, open);
    return () => window.removeEventListener(paletteEvent, open);
  }, [open]);
  useTypedAhead(opened, setText);
  const keys = ["macos", "ios"].includes(useOs()) ? "⌘ K" : "Ctrl K";
  return (
    <>
      <PillButton className={styles.trigger} onClick={open} data-testid="palette" data-tour="palette">
        <IconSearch size={14} aria-hidden className={styles.icon} />
        <span className={styles.words}>{t("open")}</span> <kbd className={styles.keys}>{keys}</kbd>
      </PillButton>
      {used && (
        <PartBoundary>
          <PaletteDialog opened={opened} text={text} onText={setText} onClose={close} />
        </PartBoundary>
      )}
    </>
  );
}

/**
 * What is typed between the key that opens and the field that is there: the dialog is fetched when it is asked for first, and whoever knows what
 * they want types on. No key of it is lost, nor taken for a shortcut of the page; Enter chooses nothing that nobody has seen.
 */
function useTypedAhead(opened: boolean, setText: Dispatch<SetStateAction<string>>): void {
  useEffect(() => {
    if (!opened) return;
    const onKey = (event: KeyboardEvent) => {
      const isInDialog = event.target instanceof Element && event.target.closest("[role=dialog]") !== null;
      if (isInDialog || event.ctrlKey || event.metaKey || event.altKey) return;
      const isCharacter = [...event.key].length === 1;
      if (!isCharacter && event.key !== "Backspace" && event.key !== "Enter") return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key !== "Enter") setText((text) => (isCharacter ? text + event.key : text.slice(0, -1)));
    };
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [opened, setText]);
}
