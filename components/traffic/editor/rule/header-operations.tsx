"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { ListField } from "../fields/list-field.tsx";
import { MapField } from "../fields/map-field.tsx";

/** Headers that are set, added and taken away, on the way there and back. */
export function HeaderOperations({ path }: { path: Path }) {
  const t = useTranslations("form");
  return (
    <div className={styles.items}>
      {(["request", "response"] as const).map((direction) => (
        <div key={direction} className={styles.items}>
          <b className={styles.label}>{t(`of-${direction}`)}</b>
          <MapField path={[...path, direction, "set"]} label={t("header-set")} values="text" nameLabel={t("header")} />
          <MapField path={[...path, direction, "add"]} label={t("header-add")} values="text" nameLabel={t("header")} />
          <ListField path={[...path, direction, "remove"]} label={t("header-remove")} placeholder={t("header-names")} />
        </div>
      ))}
    </div>
  );
}
