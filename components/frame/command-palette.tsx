"use client";
import { Modal, useMantineColorScheme } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useRouter } from "next/navigation";
import { useId, useState } from "react";
import { useTranslations } from "use-intl";
import { injectFaultHref, serviceHref } from "../lib/links.ts";
import { useServices } from "../lib/queries.ts";
import { PillButton } from "../ui/pill.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import styles from "./command-palette.module.css";
import { type Command, matchCommands } from "./commands.ts";
import { pages } from "./navigation.tsx";
import { languages, rememberLocale } from "./user-menu.tsx";

/** Go to or do anything: Ctrl K. */
export function CommandPalette() {
  const t = useTranslations("palette");
  const [opened, { open, close }] = useDisclosure(false);
  useHotkeys([["mod+K", open]], []);
  return (
    <>
      <PillButton className={styles.trigger} onClick={open} data-testid="palette" aria-label={t("open")}>
        <IconSearch size={14} aria-hidden className={styles.icon} />
        <span className={styles.words}>{t("open")}</span>
        <kbd className={styles.keys}>Ctrl K</kbd>
      </PillButton>
      <Modal
        opened={opened}
        onClose={close}
        withCloseButton={false}
        padding={0}
        size={520}
        yOffset="12vh"
        aria-label={t("open")}
      >
        <Palette onDone={close} />
      </Modal>
    </>
  );
}

function Palette({ onDone }: { onDone: () => void }) {
  const t = useTranslations("palette");
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const list = useId();
  const found = matchCommands(useCommands(), text).slice(0, 12);
  const index = Math.min(active, found.length - 1);
  const run = (command: Command | undefined) => {
    if (!command) return;
    onDone();
    command.run();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
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
        aria-activedescendant={found[index] ? `${list}-${found[index].id}` : undefined}
        aria-label={t("open")}
        placeholder={t("placeholder")}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
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
        {found.length === 0 && <p className={styles.none}>{t("none", { text })}</p>}
      </div>
    </div>
  );
}

function useCommands(): Command[] {
  const t = useTranslations("palette");
  const nav = useTranslations("nav");
  const frame = useTranslations("frame");
  const router = useRouter();
  const services = useServices(defaultWindowSec).data?.services ?? [];
  const { setColorScheme } = useMantineColorScheme();
  const go = (href: string) => () => router.push(href);
  return [
    ...pages.map(({ key, href }) => ({ id: `page-${key}`, label: nav(key), group: t("page"), run: go(href) })),
    ...services.flatMap(({ namespace, name }) => [
      {
        id: `open-${namespace}-${name}`,
        label: name,
        group: t("service", { namespace }),
        run: go(serviceHref(namespace, name)),
      },
      {
        id: `shift-${namespace}-${name}`,
        label: t("shift", { name }),
        group: t("action"),
        run: go(serviceHref(namespace, name, "traffic")),
      },
      {
        id: `fault-${namespace}-${name}`,
        label: t("fault", { name }),
        group: t("action"),
        run: go(injectFaultHref(namespace, name)),
      },
    ]),
    ...(["dark", "light", "auto"] as const).map((scheme) => ({
      id: `theme-${scheme}`,
      label: `${frame("theme")}: ${frame(`theme-${scheme}`)}`,
      group: t("action"),
      run: () => setColorScheme(scheme),
    })),
    ...languages.map(({ locale, name }) => ({
      id: `locale-${locale}`,
      label: `${frame("language")}: ${name}`,
      group: t("action"),
      run: () => {
        rememberLocale(locale);
        router.refresh();
      },
    })),
  ];
}
