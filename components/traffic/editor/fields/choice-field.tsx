"use client";
import { Select } from "@mantine/core";
import { useField } from "../form-context.ts";
import { type FieldProps, testIdOf } from "./field-props.ts";

export interface ChoiceFieldProps extends FieldProps {
  choices: readonly (string | number)[];
}

/** One of a few values, or none. */
export function ChoiceField({ path, label, placeholder, choices }: ChoiceFieldProps) {
  const { value, set, error, disabled } = useField(path);
  const known = value === undefined || choices.includes(value as string | number);
  // What the form doesn't know is shown and kept all the same.
  const all = known ? choices : [...choices, value as string | number];
  return (
    <Select
      label={label}
      data={all.map(String)}
      value={value === undefined ? null : String(value)}
      onChange={(next) => set(all.find((one) => String(one) === next))}
      placeholder={placeholder}
      clearable
      error={error}
      disabled={disabled}
      data-testid={testIdOf(path)}
    />
  );
}
