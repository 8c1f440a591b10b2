"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import styles from "./fields/fields.module.css";
import { ListField } from "./fields/list-field.tsx";
import { OtherFields } from "./fields/other-fields.tsx";
import { Section } from "./fields/section.tsx";
import { useForm } from "./form-context.ts";
import { addRule, firstRule, type RuleListName, rulesOf } from "./rule-list.ts";
import { RuleListView } from "./rule-list-view.tsx";

/** A VirtualService: whom it is for, and its rules, of requests and of connections. */
export function VirtualServiceForm({ host }: { host: string }) {
  const t = useTranslations("form");
  const { object, gateways, edit, disabled } = useForm();
  // A list whose rules are all switched off is there, too.
  const has = (name: RuleListName) => object.spec?.[name] !== undefined || rulesOf(object, name).length > 0;
  const others = (["tls", "tcp"] as const).filter(has);
  const ofConnectionsOnly = others.length > 0 && !has("http");
  return (
    <div className={styles.items}>
      {!ofConnectionsOnly && <RuleListView host={host} list="http" />}
      {others.map((list) => (
        <RuleListView key={list} host={host} list={list} />
      ))}
      <Section title={t("connections-too")} paths={[]} testId="section-connections">
        <div className={styles.adds}>
          {(["tls", "tcp"] as const)
            .filter((list) => !others.includes(list))
            .map((list) => (
              <Button
                key={list}
                size="compact-sm"
                disabled={disabled}
                onClick={() => edit(addRule([], 0, firstRule(list, host, object), list))}
                data-testid={`add-${list}-rules`}
              >
                {t(`add-${list}`)}
              </Button>
            ))}
          {ofConnectionsOnly && (
            <Button
              size="compact-sm"
              disabled={disabled}
              onClick={() => edit(addRule([], 0, firstRule("http", host, object)))}
              data-testid="add-http-rules"
            >
              {t("add-http")}
            </Button>
          )}
        </div>
      </Section>
      <Section title={t("scope")} paths={[]} summary={scopeText(object.spec)} testId="section-scope">
        <div className={styles.grid}>
          <ListField path={["spec", "hosts"]} label={t("hosts")} placeholder={t("hosts-none")} />
          <ListField
            path={["spec", "gateways"]}
            label={t("gateways")}
            placeholder="mesh"
            choices={["mesh", ...gateways]}
          />
          <ListField path={["spec", "exportTo"]} label={t("export-to")} placeholder="*" choices={[".", "*"]} />
        </div>
      </Section>
      <OtherFields path={["spec"]} known={["hosts", "gateways", "exportTo", "http", "tls", "tcp"]} />
    </div>
  );
}

const scopeText = (spec: Record<string, unknown> | undefined): string =>
  [spec?.hosts, spec?.gateways].flatMap((list) => (Array.isArray(list) ? list.map(String) : [])).join(", ");
