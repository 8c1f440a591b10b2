"use client";
import { Menu } from "@mantine/core";
import { IconChevronDown } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import { templateNames } from "../traffic/editor/templates.ts";
import { reportMissing } from "../ui/missing-parts.ts";
import { PillButton } from "../ui/pill.tsx";

/** Objects to begin with, under an example's names. */
export function TemplateMenu({ onText }: { onText: (text: string) => void }) {
  const t = useTranslations("form");
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <PillButton data-testid="templates">
          {t("templates")} <IconChevronDown size={13} aria-hidden />
        </PillButton>
      </Menu.Target>
      <Menu.Dropdown>
        {templateNames.map((name) => (
          <Menu.Item
            key={name}
            onClick={() =>
              void import("../traffic/editor/template-text.ts").then(
                ({ templateText }) => onText(templateText(name)),
                reportMissing,
              )
            }
            data-testid={`template-${name}`}
          >
            {t(`template-${name}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
