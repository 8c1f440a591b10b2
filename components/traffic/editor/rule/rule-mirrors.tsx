"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { DestinationFields } from "../fields/destination-fields.tsx";
import styles from "../fields/fields.module.css";
import { PercentField } from "../fields/percent-field.tsx";
import { RemoveButton } from "../fields/remove-button.tsx";
import { useForm } from "../form-context.ts";

/** Where copies go, whose answers nobody waits for; the older field for a single one is shown where it is used. */
export function RuleMirrors({ path, host }: { path: Path; host: string }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const list = [...path, "mirrors"];
  const found = valueAt(object, list);
  const count = Array.isArray(found) ? found.length : 0;
  const single = valueAt(object, [...path, "mirror"]) !== undefined;
  return (
    <div className={styles.items}>
      {single && (
        <div className={styles.item}>
          <header>
            <b>{t("mirror")}</b>
            <RemoveButton
              label={t("remove", { what: t("mirror") })}
              onRemove={() =>
                edit(
                  ["mirror", "mirrorPercentage", "mirrorPercent"].map((name) => ({
                    op: "set" as const,
                    path: [...path, name],
                    value: undefined,
                  })),
                )
              }
            />
          </header>
          <div className={styles.grid}>
            <DestinationFields path={[...path, "mirror"]} />
            <PercentField path={[...path, "mirrorPercentage"]} label={t("of-requests")} placeholder="100 %" />
          </div>
        </div>
      )}
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a mirror is its place
        <div key={index} className={styles.item}>
          <header>
            <b>{t("mirror-number", { number: index + 1 })}</b>
            <RemoveButton
              label={t("remove", { what: t("mirror-number", { number: index + 1 }) })}
              onRemove={() => edit([{ op: "set", path: [...list, index], value: undefined }])}
            />
          </header>
          <div className={styles.grid}>
            <DestinationFields path={[...list, index, "destination"]} />
            <PercentField path={[...list, index, "percentage"]} label={t("of-requests")} placeholder="100 %" />
          </div>
        </div>
      ))}
      {!single && (
        <div className={styles.adds}>
          <Button
            size="compact-sm"
            disabled={disabled}
            onClick={() =>
              edit([
                { op: "insert", path: list, index: count, value: { destination: { host }, percentage: { value: 10 } } },
              ])
            }
            data-testid={`add-mirror-${path[2]}`}
          >
            {t("add-mirror")}
          </Button>
        </div>
      )}
    </div>
  );
}
