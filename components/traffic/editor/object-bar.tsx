"use client";
import { Menu } from "@mantine/core";
import { IconChevronDown, IconPlus } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ObjectKey } from "../../config/config-queries.ts";
import { PillButton } from "../../ui/pill.tsx";
import styles from "./editor.module.css";
import type { TemplateName } from "./templates.ts";
import { keyText, type Workbench, type WorkObject } from "./use-workbench.ts";

export interface ObjectBarProps {
  bench: Workbench;
  selected: WorkObject | undefined;
  onSelect: (key: ObjectKey) => void;
  templates: readonly TemplateName[];
  onTemplate: (name: TemplateName) => void;
  /** False: the reader only looks. */
  may: boolean;
  children: ReactNode;
}

/** Which object is edited, which of them are changed, and what could be added. */
export function ObjectBar({ bench, selected, onSelect, templates, onTemplate, may, children }: ObjectBarProps) {
  const t = useTranslations("form");
  const changed = new Set(bench.changed.map(keyText));
  return (
    <div className={styles.bar}>
      {bench.objects.map((object) => (
        <PillButton
          key={keyText(object)}
          pressed={selected !== undefined && keyText(object) === keyText(selected)}
          onClick={() => onSelect(object)}
          data-testid={`object-${keyText(object)}`}
        >
          {object.kind} {object.namespace}/{object.name}
          {changed.has(keyText(object)) && (
            <span className={styles.dot}>
              {t(object.draft?.removed ? "is-removed" : object.stored === null ? "is-new" : "is-changed")}
            </span>
          )}
        </PillButton>
      ))}
      {may && (
        <Menu position="bottom-start">
          <Menu.Target>
            <PillButton data-testid="templates">
              <IconPlus size={13} aria-hidden /> {t("templates")} <IconChevronDown size={13} aria-hidden />
            </PillButton>
          </Menu.Target>
          <Menu.Dropdown>
            {templates.map((name) => (
              <Menu.Item key={name} onClick={() => onTemplate(name)} data-testid={`template-${name}`}>
                {t(`template-${name}`)}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      )}
      <span className={styles.space} />
      {children}
    </div>
  );
}
