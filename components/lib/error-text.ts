import { useLocale, useMessages, useTranslations } from "use-intl";
import type { ApiError } from "../../server/contract/index.ts";

/** What an error, a field's error or a warning has to say, and by which word. */
export type Said = Pick<ApiError, "message" | "reason" | "params">;

/**
 * An error in the reader's language: by its word where the messages `told` have it, else in the server's own English, which in another language is
 * said to be the server's.
 */
export function useErrorText(): (error: Said) => string {
  const t = useTranslations("told");
  const ui = useTranslations("ui.error");
  const { told = {} } = useMessages() as { told?: Record<string, string> };
  const isEnglish = useLocale() === "en";
  return ({ message, reason, params = {} }) => {
    if (reason !== undefined && Object.hasOwn(told, reason)) {
      const given = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
      return t(reason as Parameters<typeof t>[0], given as never);
    }
    return isEnglish ? message : ui("server-says", { message });
  };
}
