"use client";
import { TextInput } from "@mantine/core";
import { useUrlState } from "../lib/url-state.ts";

/** Narrows a list by text; the text is `filter` in the URL. */
export function FilterInput({ label, "data-testid": testId }: { label: string; "data-testid": string }) {
  const url = useUrlState();
  const text = url.get("filter") ?? "";
  return (
    <TextInput
      size="xs"
      aria-label={label}
      placeholder={label}
      defaultValue={text}
      // Cleared from elsewhere, it begins anew; while somebody writes, it is theirs.
      key={text === "" ? "empty" : "set"}
      onChange={(event) => url.set({ filter: event.currentTarget.value })}
      data-testid={testId}
    />
  );
}
