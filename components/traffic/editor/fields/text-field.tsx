"use client";
import { TextInput } from "@mantine/core";
import { useField } from "../form-context.ts";
import { type FieldProps, testIdOf } from "./field-props.ts";

/** Text, durations too: what they must look like is the control plane's to say. */
export function TextField({ path, label, placeholder, required = false }: FieldProps) {
  const { value, set, error, disabled } = useField(path);
  return (
    <TextInput
      label={label}
      value={value === undefined || value === null ? "" : String(value)}
      onChange={({ currentTarget }) => set(currentTarget.value === "" && !required ? undefined : currentTarget.value)}
      placeholder={placeholder}
      error={error}
      disabled={disabled}
      spellCheck={false}
      autoComplete="off"
      data-testid={testIdOf(path)}
    />
  );
}
