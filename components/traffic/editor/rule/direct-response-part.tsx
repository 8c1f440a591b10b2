"use client";
import { Textarea } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { OtherFields } from "../fields/other-fields.tsx";
import { useField } from "../form-context.ts";

/** The proxy answers by itself. */
export function DirectResponsePart({ path }: { path: Path }) {
  const t = useTranslations("form");
  const direct = [...path, "directResponse"];
  const body = useField([...direct, "body", "string"]);
  return (
    <div className={styles.grid}>
      <NumberField path={[...direct, "status"]} label={t("status")} min={200} max={599} />
      <Textarea
        className={styles.wide ?? ""}
        label={t("body")}
        autosize
        maxRows={10}
        value={typeof body.value === "string" ? body.value : ""}
        onChange={({ currentTarget }) => body.set(currentTarget.value === "" ? undefined : currentTarget.value)}
        error={body.error}
        disabled={body.disabled}
        spellCheck={false}
        data-testid={`direct-body-${path[2]}`}
      />
      <OtherFields path={[...direct, "body"]} known={["string"]} />
    </div>
  );
}
