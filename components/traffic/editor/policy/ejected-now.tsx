"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { useCircuits } from "./use-circuits.ts";

/** Endpoints that are left out right now, by whom. */
export function EjectedNow({ path }: { path: Path }) {
  const t = useTranslations("form");
  const now = useCircuits(path);
  if (!now) return null;
  const ejecting = now.circuits.filter(({ ejected }) => ejected > 0);
  if (ejecting.length === 0)
    return (
      <p className={styles.note} data-testid="ejected-now">
        {t("ejected-none")}
      </p>
    );
  return (
    <ul className={`${styles.note} ${styles.warn}`} data-testid="ejected-now">
      {ejecting.map(({ caller, namespace, port, subset, ejected, endpoints }) => (
        <li key={`${namespace}/${caller}/${port}/${subset}`}>
          {t("ejected-by", { caller: subset === null ? caller : `${caller} → ${subset}`, ejected, endpoints })}
        </li>
      ))}
    </ul>
  );
}
