"use client";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { useForm } from "../form-context.ts";
import styles from "./fields.module.css";

/** Names what is set and has no field here, so that nobody takes the form for the whole: it stays as it is. */
export function OtherFields({ path, known }: { path: Path; known: readonly string[] }) {
  const t = useTranslations("form");
  const { object } = useForm();
  const found = valueAt(object, path);
  const others = Object.keys(typeof found === "object" && found !== null ? found : {}).filter(
    (name) => !known.includes(name),
  );
  if (others.length === 0) return null;
  return (
    <p className={`${styles.note} ${styles.wide}`} data-testid={`other-${path.slice(1).join(".")}`}>
      {t("other-fields", { names: others.join(", ") })}
    </p>
  );
}
