"use client";
import { Modal } from "@mantine/core";
import { useEffect, useId, useState } from "react";
import { useTranslations } from "use-intl";
import { useUndo } from "../config/use-undo.tsx";
import styles from "./command-palette.module.css";
import { type Command, matchCommands } from "./commands.ts";
import { useCommands } from "./use-commands.ts";

interface PaletteDialogProps {
  opened: boolean;
  /** What is looked for. */
  text: string;
  onText: (text: string) => void;
  onClose: () => void;
}

/** The palette itself. It stays when it is closed: an undo that was chosen in it is shown in a dialog of its own. */
export function PaletteDialog({ opened, text, onText, onClose }: PaletteDialogProps) {
  const t = useTranslations("palette");
  const undo = useUndo(() => {});
  return (
    <>
      {undo.dialog}
      <Modal.Root opened={opened} onClose={onClose} padding={0} size={520} yOffset="12vh">
        <Modal.Overlay />
        <Modal.Content aria-label={t("open")}>
          <Modal.Body>
            <Palette
              text={text}
              onText={onText}
              onDone={onClose}
              onUndo={(revision) => undo.press(revision, { own: false })}
            />
          </Modal.Body>
        </Modal.Content>
      </Modal.Root>
    </>
  );
}

interface PaletteProps extends Pick<PaletteDialogProps, "text" | "onText"> {
  onDone: () => void;
  onUndo: (revision: number) => void;
}

function Palette({ text, onText, onDone, onUndo }: PaletteProps) {
  const t = useTranslations("palette");
  const [active, setActive] = useState(0);
  const list = useId();
  const found = matchCommands(useCommands(onUndo), text).slice(0, 12);
  const index = Math.min(active, found.length - 1);
  const activeId = found[index] ? `${list}-${found[index].id}` : undefined;
  useEffect(() => {
    if (activeId) document.getElementById(activeId)?.scrollIntoView({ block: "nearest" });
  }, [activeId]);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onDone();
    command.run();
    // What was focused may be gone with the page: reading and tabbing go on from the content.
    requestAnimationFrame(() => document.activeElement === document.body && document.getElementById("main")?.focus());
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    // Enter and arrows choose among the characters that an input method offers.
    if (event.nativeEvent.isComposing) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setActive((index + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") run(found[index]);
  };
  return (
    <div className={styles.palette}>
      <input
        className={styles.input}
        data-autofocus
        role="combobox"
        aria-expanded
        aria-controls={list}
        aria-activedescendant={activeId}
        aria-label={t("open")}
        placeholder={t("placeholder")}
        value={text}
        onChange={(event) => {
          onText(event.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
      />
      <div className={styles.list} id={list} role="listbox" aria-label={t("open")}>
        {found.map((command, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the input above holds the focus and the keys
          <div
            key={command.id}
            id={`${list}-${command.id}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === index}
            className={styles.option}
            onClick={() => run(command)}
            onPointerMove={() => setActive(i)}
          >
            {command.label}
            <span>{command.group}</span>
          </div>
        ))}
      </div>
      <p className={found.length === 0 ? styles.none : "visually-hidden"} role="status">
        {found.length === 0 ? t("none", { text }) : t("found", { count: found.length })}
      </p>
    </div>
  );
}
