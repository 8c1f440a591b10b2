import { cookies, headers } from "next/headers";
import { createTranslator } from "use-intl/core";
import en from "../messages/en.json";
import zh from "../messages/zh-CN.json";

const catalogues = { en, "zh-CN": zh };
export type Locale = keyof typeof catalogues;

/** The reader's language: the `locale` cookie, else what the browser asks for, else English. */
export async function getLocale(): Promise<Locale> {
  const chosen = (await cookies()).get("locale")?.value;
  if (chosen === "en" || chosen === "zh-CN") return chosen;
  return preferredLocale((await headers()).get("accept-language") ?? "");
}

/** https://www.rfc-editor.org/rfc/rfc9110#name-accept-language, by quality; any Chinese is served as Simplified. */
export function preferredLocale(accept: string): Locale {
  const wanted = accept
    .split(",")
    .map((part) => {
      const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
      const quality = parameters.map((text) => /^\s*q=([\d.]+)/.exec(text)?.[1]).find((value) => value !== undefined);
      return { tag, quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  for (const { tag } of wanted) {
    if (tag === "zh" || tag.startsWith("zh-")) return "zh-CN";
    if (tag === "en" || tag.startsWith("en-")) return "en";
  }
  return "en";
}

export const getMessages = (locale: Locale) => catalogues[locale];

/** For server components and metadata; client components use `useTranslations`. */
export async function getTranslations() {
  const locale = await getLocale();
  return createTranslator({ locale, messages: catalogues[locale] as typeof en });
}
