"use client";
import { NumberInput } from "@mantine/core";
import { useField } from "../form-context.ts";
import { type FieldProps, testIdOf } from "./field-props.ts";

export interface NumberFieldProps extends FieldProps {
  min?: number;
  max?: number;
  suffix?: string;
  decimals?: boolean;
  /** What it is of stands beside it. */
  hidesLabel?: boolean;
}

export function NumberField({
  path,
  label,
  placeholder,
  min = 0,
  max,
  suffix = "",
  decimals = false,
  hidesLabel = false,
}: NumberFieldProps) {
  const { value, set, error, disabled } = useField(path);
  return (
    <NumberInput
      {...(hidesLabel ? { "aria-label": label } : { label })}
      value={typeof value === "number" ? value : ""}
      onChange={(next) => set(typeof next === "number" ? next : undefined)}
      min={min}
      {...(max !== undefined && { max })}
      suffix={suffix}
      placeholder={placeholder}
      allowDecimal={decimals}
      error={error}
      disabled={disabled}
      data-testid={testIdOf(path)}
    />
  );
}
