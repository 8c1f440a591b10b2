"use client";
import { Menu, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconLogout, IconSettings, IconUser } from "@tabler/icons-react";
import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "use-intl";
import { settingsHref } from "../lib/links.ts";
import { remember } from "../lib/preferences.ts";
import { useSession } from "../lib/session.tsx";
import { signOut } from "../lib/sign-out.ts";
import { Link } from "../ui/link.tsx";
import { PillButton } from "../ui/pill.tsx";
import { languages } from "./languages.ts";
import styles from "./user-menu.module.css";

export function UserMenu() {
  const t = useTranslations("frame");
  const nav = useTranslations("nav");
  const router = useRouter();
  const current = useLocale();
  const session = useSession();
  const user = session?.displayName || session?.name || "";
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const check = (on: boolean) => (on ? <IconCheck size={14} aria-hidden /> : <span className={styles.blank} />);
  return (
    <Menu position="bottom-end" width={190}>
      <Menu.Target>
        <PillButton aria-label={t("user-menu", { user })} data-testid="user-menu" data-tour="user">
          <IconUser size={14} aria-hidden className={styles.icon} />
          <span className={styles.name}>{user}</span>
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
              remember("locale", locale);
              router.refresh();
            }}
          >
            {name}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item component={Link} href={settingsHref} leftSection={<IconSettings size={14} aria-hidden />}>
          {nav("settings")}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={14} aria-hidden />} onClick={signOut} data-testid="sign-out">
          {t("sign-out")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
