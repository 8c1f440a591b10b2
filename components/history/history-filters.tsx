"use client";
import { NativeSelect, TextInput } from "@mantine/core";
import { useId } from "react";
import { useTranslations } from "use-intl";
import { useUrlState } from "../lib/url-state.ts";
import { useFollowing } from "../lib/use-following.ts";
import styles from "./history.module.css";
import { changeKinds } from "./history-query.ts";
import { localTime, timeOfField } from "./sides.ts";

/** What narrows the history: the object, who, what kind, between when and when. */
export function HistoryFilters({ authors }: { authors: readonly string[] }) {
  const t = useTranslations("history");
  const url = useUrlState();
  return (
    <search className={styles.filters}>
      <TextFilter name="object" label={t("object")} />
      <TextFilter name="author" label={t("author")} options={authors} />
      <NativeSelect
        size="xs"
        aria-label={t("kind")}
        value={url.get("type") ?? ""}
        onChange={(event) => url.set({ type: event.currentTarget.value })}
        data={[
          { value: "", label: t("kind-any") },
          ...changeKinds.map((kind) => ({ value: kind, label: t(`kind-${kind}`) })),
        ]}
        data-testid="history-type"
      />
      <TimeFilter name="since" label={t("since")} />
      <TimeFilter name="until" label={t("until")} />
    </search>
  );
}

function TextFilter({ name, label, options }: { name: string; label: string; options?: readonly string[] }) {
  const url = useUrlState();
  const list = useId();
  const text = url.get(name) ?? "";
  return (
    <>
      <TextInput
        ref={useFollowing(text)}
        size="xs"
        aria-label={label}
        placeholder={label}
        defaultValue={text}
        {...(options && { list })}
        autoComplete="off"
        onChange={(event) => url.set({ [name]: event.currentTarget.value })}
        data-testid={`history-${name}`}
      />
      {options && (
        <datalist id={list}>
          {options.map((option) => (
            <option key={option} value={option} />
          ))}
        </datalist>
      )}
    </>
  );
}

function TimeFilter({ name, label }: { name: "since" | "until"; label: string }) {
  const url = useUrlState();
  const id = useId();
  const ms = Number(url.get(name)) || null;
  return (
    <div className={styles.time}>
      <label htmlFor={id}>{label}</label>
      <TextInput
        ref={useFollowing(ms === null ? "" : localTime(ms))}
        id={id}
        size="xs"
        type="datetime-local"
        step={1}
        defaultValue={ms === null ? "" : localTime(ms)}
        onChange={(event) => {
          const at = timeOfField(event.currentTarget.value);
          url.set({ [name]: at === null ? null : String(at) });
        }}
        data-testid={`history-${name}`}
      />
    </div>
  );
}
