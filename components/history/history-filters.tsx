"use client";
import { NativeSelect, TextInput } from "@mantine/core";
import { useId } from "react";
import { useLocale, useTranslations } from "use-intl";
import { useUrlState } from "../lib/url-state.ts";
import { useFollowing } from "../lib/use-following.ts";
import { formatDateTime, formatStretch } from "../ui/format.ts";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import styles from "./history.module.css";
import { changeKinds } from "./history-query.ts";

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
      <TimeFilter />
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

function TimeFilter() {
  const t = useTranslations("history");
  const url = useUrlState();
  const locale = useLocale();
  const [since, until] = [timeParam(url.get("since")), timeParam(url.get("until"))];
  const moment = (ms: number) => formatDateTime(ms, locale, { seconds: false });
  const text =
    since !== null && until !== null
      ? formatStretch(until, (until - since) / 1000, locale)
      : since !== null
        ? t("since", { moment: moment(since) })
        : until !== null
          ? t("until", { moment: moment(until) })
          : t("any-time");
  const end = until ?? Date.now();
  return (
    <TimeRangePicker
      value={{ windowSec: since === null ? 3600 : Math.max(1, Math.round((end - since) / 1000)), at: until }}
      onChange={({ windowSec, at }) => {
        // The last hour begins where it did: what is new is added to it.
        const from = (at ?? Math.floor(Date.now() / 1000) * 1000) - windowSec * 1000;
        url.set({ since: String(from), until: at === null ? null : String(at) });
      }}
      history={{
        text,
        onAny: since === null && until === null ? undefined : () => url.set({ since: null, until: null }),
      }}
    />
  );
}

const timeParam = (text: string | null | undefined): number | null =>
  text && /^\d{1,15}$/.test(text) ? Number(text) : null;
