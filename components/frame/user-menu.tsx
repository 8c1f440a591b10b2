"use client";
import { Menu, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconUser } from "@tabler/icons-react";
import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "use-intl";
import { PillButton } from "../ui/pill.tsx";
import styles from "./user-menu.module.css";

export const languages = [
  { locale: "en", name: "English" },
  { locale: "zh-CN", name: "简体中文" },
] as const;

/** One year. */
export const rememberLocale = (locale: string): void => {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
  document.cookie = `locale=${locale}; path=/; max-age=31536000; samesite=lax`;
};

export function UserMenu() {
  const t = useTranslations("frame");
  const router = useRouter();
  const current = useLocale();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const check = (on: boolean) => (on ? <IconCheck size={14} aria-hidden /> : <span className={styles.blank} />);
  return (
    <Menu position="bottom-end" width={190}>
      <Menu.Target>
        <PillButton aria-label={t("user-menu", { user: "admin" })} data-testid="user-menu">
          <IconUser size={14} aria-hidden className={styles.icon} />
          <span className={styles.name}>admin</span>
        </PillButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("theme")}</Menu.Label>
        {(["auto", "dark", "light"] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            leftSection={check(colorScheme === scheme)}
            onClick={() => setColorScheme(scheme)}
            data-testid={`theme-${scheme}`}
            role="menuitemradio"
            aria-checked={colorScheme === scheme}
          >
            {t(`theme-${scheme}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t("language")}</Menu.Label>
        {languages.map(({ locale, name }) => (
          <Menu.Item
            key={locale}
            lang={locale}
            leftSection={check(current === locale)}
            data-testid={`locale-${locale}`}
            role="menuitemradio"
            aria-checked={current === locale}
            onClick={() => {
              rememberLocale(locale);
              router.refresh();
            }}
          >
            {name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
