"use client";
import { Button, SegmentedControl, Select, useMantineColorScheme } from "@mantine/core";
import { useRouter } from "next/navigation";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import { AccountPanels } from "../access/account-panels.tsx";
import { overviewHref } from "../lib/links.ts";
import { useMeshStatus } from "../lib/mesh-status.ts";
import { remember, usePreference } from "../lib/preferences.ts";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Pairs } from "../ui/pairs.tsx";
import { Panel } from "../ui/panel.tsx";
import { startTour } from "./guides.tsx";
import { languages } from "./languages.ts";
import { usePages } from "./pages.ts";
import { RetentionPanel } from "./retention-panel.tsx";
import styles from "./settings-page.module.css";
import { ShortcutList } from "./shortcut-map.tsx";

/** What this browser keeps for its reader, the keys, the tour, and which mesh this is. */
export function SettingsPage() {
  const t = useTranslations("settings");
  const keys = useTranslations("keys");
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")} />
      <div className={styles.panels}>
        <AccountPanels />
        <Panel title={t("look")}>
          <Look />
        </Panel>
        <Panel title={t("tour")}>
          <Line label={t("tour-text")}>
            <Button size="compact-sm" onClick={startTour} data-testid="tour-start">
              {t("tour-start")}
            </Button>
          </Line>
        </Panel>
        <Panel title={keys("title")}>
          <ShortcutList />
        </Panel>
        <RetentionPanel />
        <About />
      </div>
    </Page>
  );
}

function Look() {
  const t = useTranslations("settings");
  const frame = useTranslations("frame");
  const nav = useTranslations("nav");
  const pages = usePages();
  const locale = useLocale();
  const router = useRouter();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const start = usePreference("start") ?? overviewHref;
  const motion = usePreference("motion") ?? "on";
  const known = usePreference("start") !== undefined;
  return (
    <div className={styles.lines}>
      <Line label={frame("theme")}>
        {/* What the browser keeps is not known to the server that writes the page. */}
        <SegmentedControl
          key={String(known)}
          size="xs"
          aria-label={frame("theme")}
          value={known ? colorScheme : "auto"}
          onChange={(value) => setColorScheme(value as "auto" | "dark" | "light")}
          data={(["auto", "dark", "light"] as const).map((value) => ({ value, label: frame(`theme-${value}`) }))}
        />
      </Line>
      <Line label={frame("language")}>
        <SegmentedControl
          size="xs"
          aria-label={frame("language")}
          value={locale}
          onChange={(value) => {
            remember("locale", value);
            router.refresh();
          }}
          data={languages.map(({ locale: value, name }) => ({ value, label: <span lang={value}>{name}</span> }))}
        />
      </Line>
      <Line label={t("start")} hint={t("start-hint")}>
        <Select
          size="xs"
          aria-label={t("start")}
          value={start}
          allowDeselect={false}
          onChange={(value) => value && remember("start", value)}
          data={pages.map(({ key, href }) => ({ value: href, label: nav(key) }))}
          data-testid="start-page"
        />
      </Line>
      <Line label={t("motion")} hint={t("motion-hint")}>
        <SegmentedControl
          size="xs"
          aria-label={t("motion")}
          value={motion}
          onChange={(value) => remember("motion", value)}
          data={[
            { value: "on", label: t("on") },
            { value: "off", label: t("off") },
          ]}
        />
      </Line>
    </div>
  );
}

function Line({ label, hint, children }: { label: string; hint?: string; children: ReactNode }) {
  return (
    <div className={styles.line}>
      <span>
        {label}
        {hint && <small className="muted">{hint}</small>}
      </span>
      {children}
    </div>
  );
}

function About() {
  const t = useTranslations("settings");
  const { data } = useMeshStatus();
  return (
    <Panel title={t("about")}>
      <Pairs
        facts={{
          [t("about-mesh")]: data?.mesh ?? "…",
          [t("about-proxies")]: data ? `${data.proxies.inSync} / ${data.proxies.total}` : "…",
          [t("about-services")]: data?.services ?? "…",
          [t("about-push")]: data?.lastPush?.revision ?? "–",
        }}
      />
    </Panel>
  );
}
