"use client";
import { useTranslations } from "use-intl";
import styles from "./fields/fields.module.css";
import { ListField } from "./fields/list-field.tsx";
import { MapField } from "./fields/map-field.tsx";
import { OtherFields } from "./fields/other-fields.tsx";
import { Section } from "./fields/section.tsx";
import { TextField } from "./fields/text-field.tsx";
import { useForm } from "./form-context.ts";
import { SubsetList } from "./policy/subset-list.tsx";
import { TrafficPolicyFields } from "./policy/traffic-policy-fields.tsx";

/** A DestinationRule: how its host is called, and its parts. */
export function DestinationRuleForm({ versions }: { versions: readonly string[] }) {
  const t = useTranslations("form");
  const { object } = useForm();
  return (
    <div className={styles.items}>
      <fieldset className={styles.section}>
        <legend>{t("policy")}</legend>
        <TrafficPolicyFields path={["spec", "trafficPolicy"]} of="host" />
      </fieldset>
      <SubsetList versions={versions} />
      <Section title={t("scope")} paths={[]} summary={String(object.spec?.host ?? "")} testId="section-scope">
        <div className={styles.grid}>
          <TextField path={["spec", "host"]} label={t("host")} required />
          <ListField path={["spec", "exportTo"]} label={t("export-to")} placeholder="*" choices={[".", "*"]} />
        </div>
        <MapField
          path={["spec", "workloadSelector", "matchLabels"]}
          label={t("for-workloads")}
          values="text"
          nameLabel={t("label")}
        />
        <OtherFields path={["spec", "workloadSelector"]} known={["matchLabels"]} />
      </Section>
      <OtherFields path={["spec"]} known={["host", "trafficPolicy", "subsets", "exportTo", "workloadSelector"]} />
    </div>
  );
}
