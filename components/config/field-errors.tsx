"use client";
import type { ApiError } from "../../server/contract/index.ts";
import { useErrorText } from "../lib/error-text.ts";
import styles from "./field-errors.module.css";

/** Why a write was refused, field by field. */
export function FieldErrors({ error }: { error: ApiError }) {
  const textOf = useErrorText();
  const errors = error.errors?.length ? error.errors : [{ ...error, path: "" }];
  return (
    <div role="alert">
      <ul className={styles.errors} data-testid="field-errors">
        {errors.map((one) => (
          <li key={`${one.path}${one.message}`}>
            {one.path && <code>{one.path}</code>}
            <span>{textOf(one)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
