"use client";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Fault } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";
import { stopFault } from "../lib/writes.ts";
import { DangerButton } from "../ui/danger-button.tsx";

/** One click: a fault that hurts must end at once. */
export function StopFaultButton({ fault }: { fault: Fault }) {
  const t = useTranslations("faults");
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const stop = async () => {
    setBusy(true);
    try {
      await stopFault(fault.id);
    } catch (cause) {
      const error = toApiError(cause);
      // Gone already: it ended, or somebody was faster. That is what was wanted.
      if (error.code !== "NOT_FOUND")
        notifications.show({ color: "red", title: t("stop-failed"), message: error.message });
    } finally {
      for (const name of ["faults", "status", "changes", "routing", "push"])
        void client.invalidateQueries({ queryKey: [name] });
      setBusy(false);
    }
  };
  return (
    <DangerButton
      size="compact-sm"
      onClick={() => void stop()}
      loading={busy}
      aria-label={t("stop-of", { service: fault.service })}
      data-testid={`fault-stop-${fault.service}`}
    >
      {t("stop")}
    </DangerButton>
  );
}
