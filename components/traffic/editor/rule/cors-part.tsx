"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { ChoiceField } from "../fields/choice-field.tsx";
import styles from "../fields/fields.module.css";
import { ListField } from "../fields/list-field.tsx";
import { MatchInput } from "../fields/match-input.tsx";
import { RemoveButton } from "../fields/remove-button.tsx";
import { SwitchField } from "../fields/switch-field.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useForm } from "../form-context.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "*"];

/** Which web pages of other origins may call. */
export function CorsPart({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const cors = [...path, "corsPolicy"];
  const origins = [...cors, "allowOrigins"];
  const found = valueAt(object, origins);
  const count = Array.isArray(found) ? found.length : 0;
  return (
    <div className={styles.items}>
      <span className={styles.label}>{t("origins")}</span>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an origin is its place
        <div key={index} className={styles.entry}>
          <div className={styles.wide}>
            <MatchInput path={[...origins, index]} label={t("origin-number", { number: index + 1 })} />
          </div>
          <RemoveButton
            label={t("remove", { what: t("origin-number", { number: index + 1 }) })}
            onRemove={() => edit([{ op: "set", path: [...origins, index], value: undefined }])}
          />
        </div>
      ))}
      <div className={styles.adds}>
        <Button
          size="compact-sm"
          disabled={disabled}
          onClick={() =>
            edit([{ op: "insert", path: origins, index: count, value: { exact: "https://shop.example.com" } }])
          }
        >
          {t("add", { what: t("origin") })}
        </Button>
      </div>
      <div className={styles.grid}>
        <ListField path={[...cors, "allowMethods"]} label={t("cors-methods")} choices={methods} />
        <ListField path={[...cors, "allowHeaders"]} label={t("cors-headers")} />
        <ListField path={[...cors, "exposeHeaders"]} label={t("cors-expose")} />
        <TextField path={[...cors, "maxAge"]} label={t("cors-age")} placeholder="24h" />
        <ChoiceField
          path={[...cors, "unmatchedPreflights"]}
          label={t("cors-unmatched")}
          choices={["FORWARD", "IGNORE"]}
        />
        <SwitchField path={[...cors, "allowCredentials"]} label={t("cors-credentials")} />
      </div>
    </div>
  );
}
