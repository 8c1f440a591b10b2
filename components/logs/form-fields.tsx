"use client";
import { TextInput } from "@mantine/core";
import { useUrlState } from "../lib/url-state.ts";
import { useFollowing } from "../lib/use-following.ts";
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
