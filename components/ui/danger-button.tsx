"use client";
import { Button, type ButtonProps } from "@mantine/core";
import type { ComponentPropsWithoutRef } from "react";
import styles from "./danger-button.module.css";

export interface DangerButtonProps
  extends ButtonProps,
    Omit<ComponentPropsWithoutRef<"button">, keyof ButtonProps | "color"> {
  /** For the one that does it; the plain one only leads there. */
  filled?: boolean;
  "data-testid"?: string;
}

/** For what hurts traffic on purpose. */
export function DangerButton({ filled = false, className = "", ...rest }: DangerButtonProps) {
  return <Button {...rest} className={`${filled ? styles.filled : styles.danger} ${className}`} />;
}
