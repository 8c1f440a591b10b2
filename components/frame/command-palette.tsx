"use client";
import { useDisclosure, useHotkeys, useOs } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import dynamic from "next/dynamic";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
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
  const [opened, { open, close }] = useDisclosure(false);
  const [used, setUsed] = useState(false);
  if (opened && !used) setUsed(true);
  // Also from within a field.
  useHotkeys([["mod+K", open]], []);
  useEffect(() => {
    window.addEventListener(paletteEvent, open);
    return () => window.removeEventListener(paletteEvent, open);
  }, [open]);
  const keys = ["macos", "ios"].includes(useOs()) ? "⌘ K" : "Ctrl K";
  return (
    <>
      <PillButton className={styles.trigger} onClick={open} data-testid="palette" data-tour="palette">
        <IconSearch size={14} aria-hidden className={styles.icon} />
        <span className={styles.words}>{t("open")}</span> <kbd className={styles.keys}>{keys}</kbd>
      </PillButton>
      {used && <PaletteDialog opened={opened} onClose={close} />}
    </>
  );
}
