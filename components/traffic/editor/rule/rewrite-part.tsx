"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { TextField } from "../fields/text-field.tsx";

export function RewritePart({ path }: { path: Path }) {
  const t = useTranslations("form");
  const rewrite = [...path, "rewrite"];
  return (
    <div className={styles.grid}>
      <TextField path={[...rewrite, "uri"]} label={t("rewrite-uri")} placeholder="/" />
      <TextField path={[...rewrite, "authority"]} label={t("authority")} />
      <TextField path={[...rewrite, "uriRegexRewrite", "match"]} label={t("rewrite-regex")} placeholder="^/v1/(.*)" />
      <TextField path={[...rewrite, "uriRegexRewrite", "rewrite"]} label={t("rewrite-by")} placeholder="/\1" />
    </div>
  );
}
