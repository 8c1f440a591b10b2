"use client";
import { IconX } from "@tabler/icons-react";
import { useForm } from "../form-context.ts";
import styles from "./fields.module.css";

export function RemoveButton({ label, onRemove, testId }: { label: string; onRemove: () => void; testId?: string }) {
  const { disabled } = useForm();
  return (
    <button
      type="button"
      className={styles.remove}
      aria-label={label}
      title={label}
      onClick={onRemove}
      disabled={disabled}
      data-testid={testId}
    >
      <IconX size={15} aria-hidden />
    </button>
  );
}
