"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { RemoveButton } from "../fields/remove-button.tsx";
import { useForm } from "../form-context.ts";
import { TrafficPolicyFields } from "./traffic-policy-fields.tsx";

/** Policies for single ports of a host, each in place of the whole. `of` tells their sections apart. */
export function PortPolicies({ path, of }: { path: Path; of: string }) {
  const t = useTranslations("form");
  const { object, edit, disabled, ports } = useForm();
  const found = valueAt(object, path);
  const numbers = (Array.isArray(found) ? found : []).map((_, index) =>
    Number(valueAt(found, [index, "port", "number"]) ?? 0),
  );
  const next = ports.find((port) => !numbers.includes(port)) ?? Math.max(80, ...numbers.map((port) => port + 1));
  return (
    <div className={styles.items}>
      <p className={styles.note}>{t("ports-whole")}</p>
      {numbers.map((port, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a port's policy is its place
        <div key={index} className={styles.item} data-testid={`port-${of}-${index}`}>
          <header>
            <b>{t("port-of", { port })}</b>
            <RemoveButton
              label={t("remove", { what: t("port-of", { port }) })}
              onRemove={() => edit([{ op: "set", path: [...path, index], value: undefined }])}
            />
          </header>
          <div className={styles.grid}>
            <NumberField path={[...path, index, "port", "number"]} label={t("port")} min={1} max={65_535} />
          </div>
          <TrafficPolicyFields path={[...path, index]} of={`${of}-port-${index}`} />
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
                index: numbers.length,
                value: { port: { number: next }, connectionPool: { tcp: { connectTimeout: "10s" } } },
              },
            ])
          }
          data-testid={`add-port-${of}`}
        >
          {t("add-port", { port: next })}
        </Button>
      </div>
    </div>
  );
}
