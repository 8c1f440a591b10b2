"use client";
import { Checkbox } from "@mantine/core";
import { useField } from "../form-context.ts";
import { type FieldProps, testIdOf } from "./field-props.ts";
import styles from "./fields.module.css";

/** Off is left out, as Istio's defaults are. */
export function SwitchField({ path, label }: FieldProps) {
  const { value, set, error, disabled } = useField(path);
  return (
    <Checkbox
      className={styles.switch ?? ""}
      label={label}
      checked={value === true}
      onChange={({ currentTarget }) => set(currentTarget.checked ? true : undefined)}
      error={error}
      disabled={disabled}
      data-testid={testIdOf(path)}
    />
  );
}
