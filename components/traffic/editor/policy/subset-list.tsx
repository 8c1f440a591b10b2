"use client";
import { useTranslations } from "use-intl";
import { valueAt } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { ItemList } from "../fields/item-list.tsx";
import { MapField } from "../fields/map-field.tsx";
import { Section } from "../fields/section.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useForm } from "../form-context.ts";
import { TrafficPolicyFields } from "./traffic-policy-fields.tsx";

/** Named parts of a service, each with labels, and a policy that goes before the whole's. */
export function SubsetList({ versions }: { versions: readonly string[] }) {
  const t = useTranslations("form");
  const { object } = useForm();
  const list = ["spec", "subsets"];
  const found = valueAt(object, list);
  const names = (Array.isArray(found) ? found : []).map((_, index) => String(valueAt(found, [index, "name"]) ?? ""));
  const next = versions.find((version) => !names.includes(version)) ?? `subset-${names.length + 1}`;
  return (
    <fieldset className={styles.section}>
      <legend>{t("subsets")}</legend>
      <div className={styles.items}>
        <ItemList
          path={list}
          as="card"
          nameOf={(index) => names[index] ?? ""}
          testIdOf={(index) => `subset-${index}`}
          add={{
            label: t("add-subset", { name: next }),
            value: { name: next, labels: { version: next } },
            testId: "add-subset",
          }}
        >
          {(item, index) => (
            <>
              <div className={styles.grid}>
                <TextField path={[...item, "name"]} label={t("subset-name")} required />
                <MapField path={[...item, "labels"]} label={t("labels")} values="text" nameLabel={t("label")} />
              </div>
              <Section title={t("own-policy")} paths={[[...item, "trafficPolicy"]]} testId={`section-policy-${index}`}>
                <TrafficPolicyFields path={[...item, "trafficPolicy"]} of={String(index)} />
              </Section>
            </>
          )}
        </ItemList>
      </div>
    </fieldset>
  );
}
