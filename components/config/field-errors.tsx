"use client";
import type { ApiError } from "../../server/contract/index.ts";
import styles from "./field-errors.module.css";

/** Why a write was refused, field by field. */
export function FieldErrors({ error }: { error: ApiError }) {
  const errors = error.errors?.length ? error.errors : [{ path: "", message: error.message }];
  return (
    <div role="alert">
      <ul className={styles.errors} data-testid="field-errors">
        {errors.map(({ path, message }) => (
          <li key={`${path}${message}`}>
            {path && <code>{path}</code>}
            <span>{message}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
