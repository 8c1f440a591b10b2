"use client";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Fault } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { useMay } from "../lib/session.tsx";
import { stopFault } from "../lib/writes.ts";
import { DangerButton } from "../ui/danger-button.tsx";

/** Ends a fault; of one that is gone already that is what was wanted. Says so where that could not be done, and resolves with whether it was. */
export function useStopFault(): (fault: Pick<Fault, "id">) => Promise<boolean> {
  const t = useTranslations("faults");
  const textOf = useErrorText();
  const client = useQueryClient();
  return async ({ id }) => {
    try {
      await stopFault(id);
    } catch (cause) {
      const error = toApiError(cause);
      if (error.code !== "NOT_FOUND") {
        notifications.show({ color: "red", title: t("stop-failed"), message: textOf(error) });
        return false;
      }
    } finally {
      for (const name of ["faults", "status", "changes", "routing", "push", "graph"])
        void client.invalidateQueries({ queryKey: [name] });
    }
    return true;
  };
}

/** One click: a fault that hurts must end at once. */
export function StopFaultButton({ fault }: { fault: Fault }) {
  const t = useTranslations("faults");
  const stop = useStopFault();
  const [busy, setBusy] = useState(false);
  const may = useMay()("operator", fault.id.split("/")[0]);
  if (!may) return null;
  return (
    <DangerButton
      size="compact-sm"
      onClick={() => {
        setBusy(true);
        void stop(fault).finally(() => setBusy(false));
      }}
      loading={busy}
      aria-label={t("stop-of", { service: fault.service })}
      data-testid={`fault-stop-${fault.service}`}
    >
      {t("stop")}
    </DangerButton>
  );
}
