"use client";
import { useTranslations } from "use-intl";
import styles from "./fields/fields.module.css";
import { ListField } from "./fields/list-field.tsx";
import { Section } from "./fields/section.tsx";
import { useForm } from "./form-context.ts";
import { RuleListView } from "./rule-list-view.tsx";

/** A VirtualService: whom it is for, and its http rules. What it says of TCP and TLS is the YAML's. */
export function VirtualServiceForm({ host }: { host: string }) {
  const t = useTranslations("form");
  const { object, gateways } = useForm();
  const others = (["tcp", "tls"] as const).filter((name) => object.spec?.[name] !== undefined);
  return (
    <div className={styles.items}>
      <RuleListView host={host} />
      {others.length > 0 && <p className={styles.note}>{t("also-yaml", { fields: others.join(", ") })}</p>}
      <Section title={t("scope")} paths={[]} summary={scopeText(object.spec)} testId="section-scope">
        <div className={styles.grid}>
          <ListField path={["spec", "hosts"]} label={t("hosts")} required />
          <ListField
            path={["spec", "gateways"]}
            label={t("gateways")}
            placeholder="mesh"
            choices={["mesh", ...gateways]}
          />
          <ListField path={["spec", "exportTo"]} label={t("export-to")} placeholder="*" choices={[".", "*"]} />
        </div>
      </Section>
    </div>
  );
}

const scopeText = (spec: Record<string, unknown> | undefined): string =>
  [spec?.hosts, spec?.gateways].flatMap((list) => (Array.isArray(list) ? list.map(String) : [])).join(", ");
