"use client";
import { TagsInput } from "@mantine/core";
import { useField } from "../form-context.ts";
import { type FieldProps, testIdOf } from "./field-props.ts";

export interface ListFieldProps extends FieldProps {
  choices?: readonly string[];
  /** What is written is a number each; what is none is written as it was typed, and refused as that. */
  numbers?: boolean;
}

/** A list of texts, each entered with Enter or a comma. */
export function ListField({
  path,
  label,
  placeholder,
  choices = [],
  required = false,
  numbers = false,
}: ListFieldProps) {
  const { value, set, error, disabled } = useField(path);
  const list = Array.isArray(value) ? value.map(String) : [];
  return (
    <TagsInput
      label={label}
      value={list}
      data={choices.filter((one) => !list.includes(one))}
      onChange={(next) => set(next.length === 0 && !required ? undefined : numbers ? next.map(asNumber) : next)}
      {...(list.length === 0 && { placeholder })}
      error={error}
      disabled={disabled}
      acceptValueOnBlur
      data-testid={testIdOf(path)}
    />
  );
}

const asNumber = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);
