"use client";
import { useTranslations } from "use-intl";
import { grpcStatusNames } from "../../../../server/wire/grpc-status.ts";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { ChoiceField } from "../fields/choice-field.tsx";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { OtherFields } from "../fields/other-fields.tsx";
import { PercentField } from "../fields/percent-field.tsx";
import { TextField } from "../fields/text-field.tsx";

/** A fault for good, as YAML has it: one with a fuse is another page's. */
export function FaultPart({ path }: { path: Path }) {
  const t = useTranslations("form");
  const fault = [...path, "fault"];
  return (
    <div className={styles.grid}>
      <PercentField path={[...fault, "delay", "percentage"]} label={t("delay-share")} placeholder="0 %" />
      <TextField path={[...fault, "delay", "fixedDelay"]} label={t("delay-by")} placeholder={t("none")} />
      <PercentField path={[...fault, "abort", "percentage"]} label={t("abort-share")} placeholder="0 %" />
      <NumberField path={[...fault, "abort", "httpStatus"]} label={t("abort-http")} min={200} max={599} />
      <ChoiceField
        path={[...fault, "abort", "grpcStatus"]}
        label={t("abort-grpc")}
        choices={grpcStatusNames}
        placeholder={t("none")}
      />
      <OtherFields path={[...fault, "delay"]} known={["percentage", "fixedDelay"]} />
    </div>
  );
}
