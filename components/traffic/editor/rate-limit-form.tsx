"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../config/document/yaml-edit.ts";
import { LimitsPanel } from "../../service/limits-panel.tsx";
import { ChoiceField } from "./fields/choice-field.tsx";
import styles from "./fields/fields.module.css";
import { NumberField } from "./fields/number-field.tsx";
import { RemoveButton } from "./fields/remove-button.tsx";
import { Section } from "./fields/section.tsx";
import { TextField } from "./fields/text-field.tsx";
import { useForm } from "./form-context.ts";

const units = ["second", "minute", "hour", "day", "week", "month", "year"];

/** How many requests a service takes: each of its proxies by itself, and all of them together; beside how much of that is used. */
export function RateLimitForm({ hostname }: { hostname: string }) {
  const t = useTranslations("form");
  const [local, global]: Path[] = [
    ["spec", "local"],
    ["spec", "global"],
  ];
  return (
    <div className={styles.items}>
      <LimitsPanel hostname={hostname} />
      <Section title={t("limit-local")} paths={[local ?? []]} testId="section-local">
        <div className={styles.grid}>
          <NumberField path={["spec", "local", "requests"]} label={t("limit-requests")} />
          <TextField path={["spec", "local", "per"]} label={t("limit-per")} placeholder="1s" />
          <NumberField path={["spec", "local", "burst"]} label={t("limit-burst")} placeholder={t("limit-burst-none")} />
        </div>
      </Section>
      <Section title={t("limit-global")} paths={[global ?? []]} testId="section-global">
        <div className={styles.grid}>
          <NumberField path={["spec", "global", "requests"]} label={t("limit-requests")} />
          <ChoiceField path={["spec", "global", "unit"]} label={t("limit-unit")} choices={units} />
        </div>
        <LimitKeys />
      </Section>
      <div className={styles.grid}>
        <TextField path={["spec", "host"]} label={t("host")} required />
        <NumberField path={["spec", "port"]} label={t("port")} min={1} max={65_535} placeholder={t("limit-ports")} />
      </div>
    </div>
  );
}

/** What requests are counted by: each value has a count of its own. */
function LimitKeys() {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const path = ["spec", "global", "by"];
  const found = valueAt(object, path);
  const keys: unknown[] = Array.isArray(found) ? found : [];
  const add = (value: object) => edit([{ op: "insert", path, index: keys.length, value }]);
  return (
    <div className={styles.items}>
      <span className={styles.label}>{t("limit-by")}</span>
      {keys.map((key, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a key is its place
        <div key={index} className={styles.entry}>
          {valueAt(key, ["remoteAddress"]) === undefined ? (
            <TextField path={[...path, index, "header"]} label={t("header")} required />
          ) : (
            <span>{t("limit-address")}</span>
          )}
          <span />
          <RemoveButton
            label={t("remove", { what: t("limit-key", { number: index + 1 }) })}
            onRemove={() => edit([{ op: "set", path: [...path, index], value: undefined }])}
          />
        </div>
      ))}
      <div className={styles.adds}>
        <Button size="compact-sm" disabled={disabled || keys.length >= 4} onClick={() => add({ header: "x-user" })}>
          {t("limit-add-header")}
        </Button>
        <Button size="compact-sm" disabled={disabled || keys.length >= 4} onClick={() => add({ remoteAddress: {} })}>
          {t("limit-add-address")}
        </Button>
      </div>
    </div>
  );
}
