"use client";
import type { FieldProps } from "./field-props.ts";
import { NumberField } from "./number-field.tsx";

/** Istio's `{value: 12.5}`. */
export const PercentField = ({ path, ...rest }: FieldProps) => (
  <NumberField path={[...path, "value"]} max={100} suffix=" %" decimals {...rest} />
);
