"use client";
import { TagsInput } from "@mantine/core";
import { useLocale, useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { formatMs, quantityText } from "../../../ui/format.ts";
import { BooleanField } from "../fields/boolean-field.tsx";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { SwitchField } from "../fields/switch-field.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useField, useForm } from "../form-context.ts";
import { retryArithmetic } from "./retry-arithmetic.ts";
import { retryConditions } from "./retry-conditions.ts";

/** How long a request may take, what is tried again, and what both amount to. */
export function ResilienceFields({ path }: { path: Path }) {
  const t = useTranslations("form");
  const retries = [...path, "retries"];
  const on = useField([...retries, "retryOn"]);
  const chosen = typeof on.value === "string" && on.value !== "" ? on.value.split(",") : [];
  return (
    <div className={styles.items}>
      <div className={styles.grid}>
        <TextField path={[...path, "timeout"]} label={t("timeout")} placeholder={t("none")} />
        <NumberField path={[...retries, "attempts"]} label={t("attempts")} placeholder="2" />
        <TextField path={[...retries, "perTryTimeout"]} label={t("per-try")} placeholder={t("per-try-none")} />
        <TextField path={[...retries, "backoff"]} label={t("backoff")} placeholder="25ms" />
        <TagsInput
          className={styles.wide ?? ""}
          label={t("retry-on")}
          data={retryConditions.filter((one) => !chosen.includes(one))}
          value={chosen}
          onChange={(next) => on.set(next.length === 0 ? undefined : next.join(","))}
          {...(chosen.length === 0 && { placeholder: "connect-failure,refused-stream,…" })}
          error={on.error}
          disabled={on.disabled}
          acceptValueOnBlur
          data-testid={`retry-on-${path[2]}`}
        />
        <BooleanField
          path={[...retries, "retryIgnorePreviousHosts"]}
          label={t("retry-elsewhere")}
          placeholder={t("is-true")}
        />
        <SwitchField path={[...retries, "retryRemoteLocalities"]} label={t("retry-remote")} />
      </div>
      <RetryText path={path} />
    </div>
  );
}

/** `3 tries × 500 ms + back-off ≤ 100 ms = 1.60 s, within 2.00 s`. */
export function RetryText({ path }: { path: Path }) {
  const t = useTranslations("form");
  const locale = useLocale();
  const { object } = useForm();
  const time = (value: number | null) => quantityText(formatMs(value, locale));
  const { tries, perTryMs, backoffMs, worstMs, timeoutMs, fitting } = retryArithmetic({
    timeout: valueAt(object, [...path, "timeout"]),
    retries: valueAt(object, [...path, "retries"]),
  });
  if (worstMs === null) return <p className={styles.note}>{t("arithmetic-unbounded", { count: tries })}</p>;
  const sum = t("arithmetic", { count: tries, each: time(perTryMs), backoff: time(backoffMs), worst: time(worstMs) });
  return (
    <p className={fitting === null ? styles.note : styles.warn} data-testid={`arithmetic-${path[2]}`}>
      {sum}
      {timeoutMs !== null &&
        (fitting === null
          ? t("arithmetic-fits", { timeout: time(timeoutMs) })
          : t("arithmetic-cut", { timeout: time(timeoutMs), count: fitting, tries }))}
    </p>
  );
}
