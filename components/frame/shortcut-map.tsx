"use client";
import { Modal } from "@mantine/core";
import { useOs } from "@mantine/hooks";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { usePages } from "./pages.ts";
import styles from "./shortcut-map.module.css";
import { shortcutGroups } from "./shortcuts.ts";

/** Every key that does something, and what. */
export function ShortcutMap({ onClose }: { onClose: () => void }) {
  const t = useTranslations("keys");
  const common = useTranslations("ui");
  return (
    <Modal opened onClose={onClose} size={760} title={t("title")} closeButtonProps={{ "aria-label": common("close") }}>
      <ShortcutList />
    </Modal>
  );
}

/** Also on the settings page. */
export function ShortcutList() {
  const t = useTranslations("keys");
  const nav = useTranslations("nav");
  const pages = usePages();
  return (
    <div className={styles.groups} data-testid="shortcut-map">
      <Group title={t("pages")}>
        {pages.map(({ key, letter }) => (
          <Line key={key} keys={["g", letter]} does={nav(key)} />
        ))}
      </Group>
      <div>
        {shortcutGroups.map(({ title, keys }) => (
          <Group key={title} title={t(title)}>
            {keys.map((line) => (
              <Line key={line.does} keys={line.keys} does={t(line.does)} />
            ))}
          </Group>
        ))}
      </div>
    </div>
  );
}

function Group({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.group}>
      <h3>{title}</h3>
      <dl>{children}</dl>
    </section>
  );
}

function Line({ keys, does }: { keys: readonly string[]; does: string }) {
  const mod = ["macos", "ios"].includes(useOs()) ? "⌘" : "Ctrl";
  return (
    <div>
      <dt>
        {keys.map((key) => (
          <kbd key={key}>{key === "Mod" ? mod : key}</kbd>
        ))}
      </dt>
      <dd>{does}</dd>
    </div>
  );
}
