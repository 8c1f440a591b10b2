"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { ChoiceField } from "../fields/choice-field.tsx";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { TextField } from "../fields/text-field.tsx";

export function RedirectPart({ path }: { path: Path }) {
  const t = useTranslations("form");
  const redirect = [...path, "redirect"];
  return (
    <div className={styles.grid}>
      <TextField path={[...redirect, "uri"]} label={t("redirect-uri")} placeholder="/new" />
      <TextField path={[...redirect, "prefixRewrite"]} label={t("redirect-prefix")} />
      <TextField path={[...redirect, "authority"]} label={t("authority")} placeholder={t("same")} />
      <ChoiceField
        path={[...redirect, "scheme"]}
        label={t("scheme")}
        choices={["http", "https"]}
        placeholder={t("same")}
      />
      <NumberField path={[...redirect, "port"]} label={t("port")} max={65_535} />
      <ChoiceField
        path={[...redirect, "derivePort"]}
        label={t("redirect-derive")}
        choices={["FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"]}
      />
      <ChoiceField
        path={[...redirect, "redirectCode"]}
        label={t("status")}
        choices={[301, 302, 303, 307, 308]}
        placeholder="301"
      />
    </div>
  );
}
