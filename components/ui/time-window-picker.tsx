"use client";
import { Menu } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { useLocale, useTranslations } from "use-intl";
import { formatSpan } from "./format.ts";
import { PillButton } from "./pill.tsx";
import { timeWindows } from "./time-window.ts";

/** How far back the numbers look. Seconds. */
export function TimeWindowPicker({ value, onChange }: { value: number; onChange: (seconds: number) => void }) {
  const locale = useLocale();
  const t = useTranslations("ui.window");
  return (
    <Menu position="bottom-start">
      <Menu.Target>
        <PillButton data-testid="window-picker">
          {t("last", { span: formatSpan(value, locale) })}
          <IconChevronDown size={13} aria-hidden />
        </PillButton>
      </Menu.Target>
      <Menu.Dropdown>
        {timeWindows.map((seconds) => (
          <Menu.Item
            key={seconds}
            onClick={() => onChange(seconds)}
            data-testid={`window-${seconds}`}
            aria-current={seconds === value || undefined}
          >
            {t("last", { span: formatSpan(seconds, locale) })}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
