import { useLocale, useMessages, useTranslations } from "use-intl";
import type { ApiError } from "../../server/contract/index.ts";

/** What an error, a field's error or a warning has to say, and by which word. */
export type Said = Pick<ApiError, "message" | "reason" | "params" | "errors">;

/**
 * An error in the reader's language. In English that is what the server says itself; other languages have `told`, its words with their parts, and what
 * has none is said to be the server's own.
 */
export function useErrorText(): (error: Said) => string {
  const ui = useTranslations("ui.error");
  const t = useTranslations();
  const { told = {} } = useMessages() as { told?: Record<string, string> };
  const isEnglish = useLocale() === "en";
  const textOf = ({ message, reason, params = {}, errors = [] }: Said): string => {
    if (isEnglish) return message;
    // What has no word of its own is what is wrong with its fields.
    if (reason === undefined && errors.length > 0)
      return errors.map((error) => (error.path ? `${error.path}: ${textOf(error)}` : textOf(error))).join("; ");
    if (reason === undefined || !Object.hasOwn(told, reason)) return ui("server-says", { message });
    const given = Object.fromEntries(Object.entries(params).map(([name, value]) => [name, String(value)]));
    return t(`told.${reason}` as Parameters<typeof t>[0], given as never);
  };
  return textOf;
}
