"use client";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import type { ProxySync } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { useMay } from "../lib/session.tsx";
import { forgetProxy } from "../lib/writes.ts";
import { ConfirmButton } from "../ui/confirm-button.tsx";

/** For a proxy that was removed for good; who never was connected is expected by somebody else than the control plane's memory. */
export function ForgetButton({ proxy }: { proxy: ProxySync }) {
  const t = useTranslations("proxies");
  const textOf = useErrorText();
  const client = useQueryClient();
  const may = useMay()("operator", "*");
  if (proxy.disconnectedAt === null || !may) return null;
  const forget = async () => {
    try {
      await forgetProxy(proxy.id);
    } catch (cause) {
      const error = toApiError(cause);
      if (error.code !== "NOT_FOUND") {
        notifications.show({ color: "red", title: t("forget-failed", { proxy: proxy.name }), message: textOf(error) });
      }
    }
    for (const name of ["proxies", "status"]) void client.invalidateQueries({ queryKey: [name] });
  };
  return (
    <ConfirmButton
      size="compact-xs"
      variant="default"
      confirm={t("forget-confirm", { proxy: proxy.name })}
      onConfirm={() => void forget()}
      data-testid={`forget-${proxy.name}`}
    >
      {t("forget")}
    </ConfirmButton>
  );
}
