"use client";
import { TagsInput } from "@mantine/core";
import { useField } from "../form-context.ts";
import { type FieldProps, testIdOf } from "./field-props.ts";

export interface ListFieldProps extends FieldProps {
  choices?: readonly string[];
}

/** A list of texts, each entered with Enter or a comma. */
export function ListField({ path, label, placeholder, choices = [], required = false }: ListFieldProps) {
  const { value, set, error, disabled } = useField(path);
  const list = Array.isArray(value) ? value.map(String) : [];
  return (
    <TagsInput
      label={label}
      value={list}
      data={choices.filter((one) => !list.includes(one))}
      onChange={(next) => set(next.length === 0 && !required ? undefined : next)}
      {...(list.length === 0 && { placeholder })}
      error={error}
      disabled={disabled}
      acceptValueOnBlur
      data-testid={testIdOf(path)}
    />
  );
}
