import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import type { CanaryAction, CanaryView } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { actOnCanary } from "../lib/writes.ts";

/** Pauses, resumes, promotes or aborts one; says so where that could not be done, and resolves with whether it was. Never rejects. */
export function useActOnCanary(): (
  canary: Pick<CanaryView, "namespace" | "name">,
  action: CanaryAction,
) => Promise<boolean> {
  const t = useTranslations("canary");
  const textOf = useErrorText();
  const client = useQueryClient();
  return async (canary, action) => {
    try {
      await actOnCanary(canary, action);
      return true;
    } catch (cause) {
      notifications.show({ color: "red", title: t("action-failed"), message: textOf(toApiError(cause)) });
      return false;
    } finally {
      for (const name of ["canaries", "routing", "changes", "status", "push"])
        await client.invalidateQueries({ queryKey: [name] });
    }
  };
}
