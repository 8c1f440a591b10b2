"use client";
import { Textarea } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { statusName } from "../../../lib/status-name.ts";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { OtherFields } from "../fields/other-fields.tsx";
import { useField } from "../form-context.ts";

/** The proxy answers by itself. */
export function DirectResponsePart({ path }: { path: Path }) {
  const t = useTranslations("form");
  const direct = [...path, "directResponse"];
  const status = useField([...direct, "status"]).value;
  const body = useField([...direct, "body", "string"]);
  return (
    <div className={styles.grid}>
      {typeof status === "number" && (
        <p className={`${styles.note} ${styles.wide}`} role="status" data-testid={`direct-says-${path[2]}`}>
          {t("direct-says", { status: statusName(status), body: body.value === undefined ? "none" : "text" })}
        </p>
      )}
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
