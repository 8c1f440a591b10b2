"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { valueAt } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { MapField } from "../fields/map-field.tsx";
import { RemoveButton } from "../fields/remove-button.tsx";
import { Section } from "../fields/section.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useForm } from "../form-context.ts";
import { TrafficPolicyFields } from "./traffic-policy-fields.tsx";

/** Named parts of a service, each with labels, and a policy that goes before the whole's. */
export function SubsetList({ versions }: { versions: readonly string[] }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const list = ["spec", "subsets"];
  const found = valueAt(object, list);
  const names = (Array.isArray(found) ? found : []).map((_, index) => String(valueAt(found, [index, "name"]) ?? ""));
  const next = versions.find((version) => !names.includes(version)) ?? `subset-${names.length + 1}`;
  return (
    <fieldset className={styles.section}>
      <legend>{t("subsets")}</legend>
      <div className={styles.items}>
        {names.map((name, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a subset is its place
          <div key={index} className={styles.item} data-testid={`subset-${index}`}>
            <header>
              <b>{name}</b>
              <RemoveButton
                label={t("remove", { what: name })}
                onRemove={() => edit([{ op: "set", path: [...list, index], value: undefined }])}
              />
            </header>
            <div className={styles.grid}>
              <TextField path={[...list, index, "name"]} label={t("subset-name")} required />
              <MapField path={[...list, index, "labels"]} label={t("labels")} values="text" nameLabel={t("label")} />
            </div>
            <Section
              title={t("own-policy")}
              paths={[[...list, index, "trafficPolicy"]]}
              testId={`section-policy-${index}`}
            >
              <TrafficPolicyFields path={[...list, index, "trafficPolicy"]} of={String(index)} />
            </Section>
          </div>
        ))}
        <div className={styles.adds}>
          <Button
            size="compact-sm"
            disabled={disabled}
            onClick={() =>
              edit([
                { op: "insert", path: list, index: names.length, value: { name: next, labels: { version: next } } },
              ])
            }
            data-testid="add-subset"
          >
            {t("add-subset", { name: next })}
          </Button>
        </div>
      </div>
    </fieldset>
  );
}
