"use client";
import { Button } from "@mantine/core";
import { IconEye, IconPencil } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { Routing } from "../../server/contract/index.ts";
import styles from "./traffic-tab.module.css";

/** What rules the service, and the way to its editor, which who only looks can read. */
export function EditBar({ routing, may, onEdit }: { routing: Routing; may: boolean; onEdit: () => void }) {
  const t = useTranslations("form");
  const Icon = may ? IconPencil : IconEye;
  const { virtualService, destinationRule, entrances, delegates = [] } = routing;
  const others = [...delegates, ...entrances].map(({ namespace, name }) => `VirtualService ${namespace}/${name}`);
  const objects = [
    ...(virtualService ? [`VirtualService ${virtualService.namespace}/${virtualService.name}`] : []),
    ...new Set(others),
    ...(destinationRule ? [`DestinationRule ${destinationRule.namespace}/${destinationRule.name}`] : []),
  ];
  return (
    <div className={styles.edit}>
      <span className="muted">
        {objects.length > 0 ? t("in-force", { objects: objects.join(", ") }) : t("none-in-force")}
      </span>
      <Button size="compact-sm" leftSection={<Icon size={14} aria-hidden />} onClick={onEdit} data-testid="edit-rules">
        {t(may ? "edit-rules" : "read-rules")}
      </Button>
    </div>
  );
}
