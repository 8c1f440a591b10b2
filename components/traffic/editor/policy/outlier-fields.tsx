"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { ListField } from "../fields/list-field.tsx";
import { NumberField } from "../fields/number-field.tsx";
import { OtherFields } from "../fields/other-fields.tsx";
import { SwitchField } from "../fields/switch-field.tsx";
import { TextField } from "../fields/text-field.tsx";
import { EjectedNow } from "./ejected-now.tsx";

const known = [
  "consecutive5xxErrors",
  "consecutiveGatewayErrors",
  "interval",
  "baseEjectionTime",
  "maxEjectionPercent",
  "minHealthPercent",
  "outlierDetectionHttpErrorCodes",
  "splitExternalLocalOriginErrors",
  "consecutiveLocalOriginFailures",
];

/** When an endpoint that fails is left out for a while. */
export function OutlierFields({ path }: { path: Path }) {
  const t = useTranslations("form");
  return (
    <div className={styles.items}>
      <EjectedNow path={path} />
      <div className={styles.grid}>
        <NumberField path={[...path, "consecutive5xxErrors"]} label={t("errors-5xx")} placeholder="5" />
        <NumberField path={[...path, "consecutiveGatewayErrors"]} label={t("errors-gateway")} placeholder={t("off")} />
        <TextField path={[...path, "interval"]} label={t("sweep")} placeholder="10s" />
        <TextField path={[...path, "baseEjectionTime"]} label={t("ejection-time")} placeholder="30s" />
        <NumberField
          path={[...path, "maxEjectionPercent"]}
          label={t("ejection-most")}
          max={100}
          suffix=" %"
          placeholder="10 %"
        />
        <NumberField
          path={[...path, "minHealthPercent"]}
          label={t("health-least")}
          max={100}
          suffix=" %"
          placeholder="0 %"
        />
        <ListField
          path={[...path, "outlierDetectionHttpErrorCodes"]}
          label={t("error-codes")}
          placeholder={t("error-codes-usual")}
          numbers
        />
        <SwitchField path={[...path, "splitExternalLocalOriginErrors"]} label={t("split-errors")} />
        <NumberField
          path={[...path, "consecutiveLocalOriginFailures"]}
          label={t("errors-local")}
          placeholder={t("off")}
        />
        <OtherFields path={path} known={known} />
      </div>
    </div>
  );
}
