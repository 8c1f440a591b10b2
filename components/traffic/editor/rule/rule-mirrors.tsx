"use client";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { DestinationFields } from "../fields/destination-fields.tsx";
import styles from "../fields/fields.module.css";
import { ItemList } from "../fields/item-list.tsx";
import { PercentField } from "../fields/percent-field.tsx";
import { RemoveButton } from "../fields/remove-button.tsx";
import { useForm } from "../form-context.ts";

/** Where copies go, whose answers nobody waits for; the older field for a single one is shown where it is used. */
export function RuleMirrors({ path, host }: { path: Path; host: string }) {
  const t = useTranslations("form");
  const { object, edit } = useForm();
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
      <ItemList
        path={[...path, "mirrors"]}
        as="card"
        nameOf={(index) => t("mirror-number", { number: index + 1 })}
        {...(!single && {
          add: {
            label: t("add-mirror"),
            value: { destination: { host }, percentage: { value: 10 } },
            testId: `add-mirror-${path[2]}`,
          },
        })}
      >
        {(item) => (
          <div className={styles.grid}>
            <DestinationFields path={[...item, "destination"]} />
            <PercentField path={[...item, "percentage"]} label={t("of-requests")} placeholder="100 %" />
          </div>
        )}
      </ItemList>
    </div>
  );
}
