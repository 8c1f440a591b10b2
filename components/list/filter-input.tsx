"use client";
import { TextInput } from "@mantine/core";
import { useUrlState } from "../lib/url-state.ts";
import { useFollowing } from "../lib/use-following.ts";
import styles from "./filter-input.module.css";

/** Narrows a list by text; the text is `filter` in the URL. */
export function FilterInput({ label, "data-testid": testId }: { label: string; "data-testid": string }) {
  const url = useUrlState();
  const text = url.get("filter") ?? "";
  return (
    <TextInput
      ref={useFollowing(text)}
      className={styles.filter ?? ""}
      size="xs"
      aria-label={label}
      placeholder={label}
      defaultValue={text}
      onChange={(event) => url.set({ filter: event.currentTarget.value })}
      data-testid={testId}
    />
  );
}
