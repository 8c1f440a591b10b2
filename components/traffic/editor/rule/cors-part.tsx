"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { ChoiceField } from "../fields/choice-field.tsx";
import styles from "../fields/fields.module.css";
import { ItemList } from "../fields/item-list.tsx";
import { ListField } from "../fields/list-field.tsx";
import { MatchInput } from "../fields/match-input.tsx";
import { OtherFields } from "../fields/other-fields.tsx";
import { SwitchField } from "../fields/switch-field.tsx";
import { TextField } from "../fields/text-field.tsx";

const known = [
  "allowOrigins",
  "allowMethods",
  "allowHeaders",
  "exposeHeaders",
  "maxAge",
  "unmatchedPreflights",
  "allowCredentials",
];
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "*"];

/** Which web pages of other origins may call. */
export function CorsPart({ path }: { path: Path }) {
  const t = useTranslations("form");
  const cors = [...path, "corsPolicy"];
  return (
    <div className={styles.items}>
      <span className={styles.label}>{t("origins")}</span>
      <ItemList
        path={[...cors, "allowOrigins"]}
        as="row"
        nameOf={(index) => t("origin-number", { number: index + 1 })}
        add={{ label: t("add", { what: t("origin") }), value: { exact: "https://shop.example.com" } }}
      >
        {(item, index) => (
          <div className={styles.wide}>
            <MatchInput path={item} label={t("origin-number", { number: index + 1 })} />
          </div>
        )}
      </ItemList>
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
        <OtherFields path={cors} known={known} />
      </div>
    </div>
  );
}
