"use client";
import { NativeSelect, TextInput } from "@mantine/core";
import { useLocale, useTranslations } from "use-intl";
import { useUrlState } from "../lib/url-state.ts";
import { useFollowing } from "../lib/use-following.ts";
import { formatSpan } from "../ui/format.ts";
import { defaultLogWindow, logWindows } from "./log-query.ts";
import styles from "./logs.module.css";

export interface TextParamProps {
  /** Parameter of the address. */
  name: string;
  label: string;
  placeholder?: string | undefined;
  wide?: boolean;
  numeric?: boolean;
  "data-testid": string;
}

/** What is typed is a parameter of the address, and follows it. */
export function TextParam({ name, wide = false, numeric = false, ...rest }: TextParamProps) {
  const url = useUrlState();
  const text = url.get(name) ?? "";
  return (
    <TextInput
      {...rest}
      ref={useFollowing(text)}
      size="xs"
      className={wide ? (styles.wide ?? "") : ""}
      inputMode={numeric ? "decimal" : "text"}
      spellCheck={false}
      autoComplete="off"
      defaultValue={text}
      onChange={({ currentTarget }) => url.set({ [name]: currentTarget.value.trim() || null })}
    />
  );
}

/** Of how long ago at the most. */
export function WindowSelect(props: { "data-testid": string }) {
  const t = useTranslations("logs");
  const locale = useLocale();
  const url = useUrlState();
  const usual = String(defaultLogWindow);
  return (
    <NativeSelect
      {...props}
      size="xs"
      label={t("param-window")}
      value={url.get("window") ?? usual}
      onChange={({ currentTarget: { value } }) => url.set({ window: value === usual ? null : value })}
      data={logWindows.map((seconds) => ({ value: String(seconds), label: formatSpan(seconds, locale) }))}
    />
  );
}
