"use client";
import { Button } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { Routing } from "../../server/contract/index.ts";
import styles from "./traffic-tab.module.css";

/** What rules the service, and the way to its editor. */
export function EditBar({ routing, onEdit }: { routing: Routing; onEdit: () => void }) {
  const t = useTranslations("form");
  const { virtualService, destinationRule, entrances } = routing;
  const objects = [
    ...(virtualService ? [`VirtualService ${virtualService.namespace}/${virtualService.name}`] : []),
    ...entrances.map(({ namespace, name }) => `VirtualService ${namespace}/${name}`),
    ...(destinationRule ? [`DestinationRule ${destinationRule.namespace}/${destinationRule.name}`] : []),
  ];
  return (
    <div className={styles.edit}>
      <span className="muted">
        {objects.length > 0 ? t("in-force", { objects: objects.join(", ") }) : t("none-in-force")}
      </span>
      <Button
        size="compact-sm"
        leftSection={<IconPencil size={14} aria-hidden />}
        onClick={onEdit}
        data-testid="edit-rules"
      >
        {t("edit-rules")}
      </Button>
    </div>
  );
}
