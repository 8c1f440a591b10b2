"use client";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { toApiError } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";

/** Does something with people or tokens, reads their lists again, and says what failed. */
export function useAct(): (step: () => Promise<unknown>) => Promise<boolean> {
  const t = useTranslations("users");
  const textOf = useErrorText();
  const client = useQueryClient();
  return async (step) => {
    try {
      await step();
      return true;
    } catch (cause) {
      notifications.show({ color: "red", title: t("failed"), message: textOf(toApiError(cause)) });
      return false;
    } finally {
      for (const name of ["users", "tokens", "audit"]) void client.invalidateQueries({ queryKey: [name] });
    }
  };
}
