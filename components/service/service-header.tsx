"use client";
import { IconBolt } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { ServiceListItem } from "../../server/contract/index.ts";
import { useUrlState } from "../lib/url-state.ts";
import { DangerButton } from "../ui/danger-button.tsx";
import { HealthMark } from "../ui/health-mark.tsx";
import { PageHeader } from "../ui/page-header.tsx";
import { Pill } from "../ui/pill.tsx";
import { TimeWindowPicker } from "../ui/time-window-picker.tsx";

export interface ServiceHeaderProps {
  service: { namespace: string; name: string };
  item: ServiceListItem | undefined;
  windowSec: number;
}

export function ServiceHeader({ service, item, windowSec }: ServiceHeaderProps) {
  const t = useTranslations("service");
  const url = useUrlState();
  const ports = item?.ports.map(({ protocol, port }) => `${protocol.toLowerCase()} ${port}`).join(", ");
  return (
    <PageHeader
      before={<HealthMark health={item?.health ?? "idle"} />}
      title={service.name}
      hint={
        <span className="mono">
          {service.namespace}
          {ports && ` · ${ports}`}
        </span>
      }
    >
      {item && item.versions.length > 0 && <Pill>{t("versions", { count: item.versions.length })}</Pill>}
      <TimeWindowPicker value={windowSec} onChange={(seconds) => url.set({ window: String(seconds) })} />
      <DangerButton
        leftSection={<IconBolt size={15} aria-hidden />}
        onClick={() => url.set({ fault: "new" }, "push")}
        data-testid="inject-fault"
      >
        {t("inject")}
      </DangerButton>
    </PageHeader>
  );
}
