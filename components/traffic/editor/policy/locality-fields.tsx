"use client";
import { Button, Select } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { ListField } from "../fields/list-field.tsx";
import { RemoveButton } from "../fields/remove-button.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useField, useForm } from "../form-context.ts";
import { LocalityShares } from "./locality-shares.tsx";

/** Which endpoints' places count, and what becomes of calls from a place: shared by weight, or sent elsewhere when nobody there is well. */
export function LocalityFields({ path, outlier }: { path: Path; outlier: Path }) {
  const t = useTranslations("form");
  const { object } = useForm();
  const failover = valueAt(object, [...path, "failover"]) ?? valueAt(object, [...path, "failoverPriority"]);
  return (
    <div className={styles.items}>
      <div className={styles.grid}>
        <Enabled path={[...path, "enabled"]} />
        <ListField path={[...path, "failoverPriority"]} label={t("failover-priority")} />
      </div>
      <Distribute path={[...path, "distribute"]} />
      <Failover path={[...path, "failover"]} />
      {failover !== undefined && valueAt(object, outlier) === undefined && (
        <p className={styles.warn}>{t("needs-outlier")}</p>
      )}
    </div>
  );
}

function Enabled({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { value, set, disabled } = useField(path);
  return (
    <Select
      label={t("locality-on")}
      data={(["true", "false"] as const).map((one) => ({ value: one, label: t(`locality-${one}`) }))}
      value={typeof value === "boolean" ? String(value) : null}
      onChange={(next) => set(next === null ? undefined : next === "true")}
      placeholder={t("locality-default")}
      clearable
      disabled={disabled}
      data-testid="locality-enabled"
    />
  );
}

function Distribute({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const count = lengthOf(valueAt(object, path));
  return (
    <div className={styles.items}>
      <span className={styles.label}>{t("distribute")}</span>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a locality is its place
        <div key={index} className={styles.item} data-testid={`distribute-${index}`}>
          <header>
            <b>{t("locality-number", { number: index + 1 })}</b>
            <RemoveButton
              label={t("remove", { what: t("locality-number", { number: index + 1 }) })}
              onRemove={() => edit([{ op: "set", path: [...path, index], value: undefined }])}
            />
          </header>
          <TextField
            path={[...path, index, "from"]}
            label={t("distribute-from")}
            placeholder="region/zone/*"
            required
          />
          <LocalityShares path={[...path, index, "to"]} />
        </div>
      ))}
      <div className={styles.adds}>
        <Button
          size="compact-sm"
          disabled={disabled}
          onClick={() =>
            edit([
              {
                op: "insert",
                path,
                index: count,
                value: { from: "region1/*", to: { "region1/*": 80, "region2/*": 20 } },
              },
            ])
          }
          data-testid="add-distribute"
        >
          {t("distribute-add")}
        </Button>
      </div>
    </div>
  );
}

function Failover({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const count = lengthOf(valueAt(object, path));
  return (
    <div className={styles.items}>
      <span className={styles.label}>{t("failover")}</span>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a region is its place
        <div key={index} className={styles.entry} data-testid={`failover-${index}`}>
          <TextField path={[...path, index, "from"]} label={t("distribute-from")} required />
          <TextField path={[...path, index, "to"]} label={t("failover-to")} required />
          <RemoveButton
            label={t("remove", { what: t("region-number", { number: index + 1 }) })}
            onRemove={() => edit([{ op: "set", path: [...path, index], value: undefined }])}
          />
        </div>
      ))}
      <div className={styles.adds}>
        <Button
          size="compact-sm"
          disabled={disabled}
          onClick={() => edit([{ op: "insert", path, index: count, value: { from: "region1", to: "region2" } }])}
          data-testid="add-failover"
        >
          {t("failover-add")}
        </Button>
      </div>
    </div>
  );
}

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
