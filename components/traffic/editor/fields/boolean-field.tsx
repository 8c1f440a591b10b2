"use client";
import { Select } from "@mantine/core";
import { useTranslations } from "use-intl";
import { useField } from "../form-context.ts";
import { type FieldProps, testIdOf } from "./field-props.ts";

/** Yes, no, or what holds while nothing is written: where that may be yes. */
export function BooleanField({ path, label, placeholder }: FieldProps) {
  const t = useTranslations("form");
  const { value, set, error, disabled } = useField(path);
  return (
    <Select
      label={label}
      data={(["true", "false"] as const).map((one) => ({ value: one, label: t(`is-${one}`) }))}
      value={typeof value === "boolean" ? String(value) : null}
      onChange={(next) => set(next === null ? undefined : next === "true")}
      placeholder={placeholder}
      clearable
      error={error}
      disabled={disabled}
      data-testid={testIdOf(path)}
    />
  );
}
