"use client";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { ItemList } from "../fields/item-list.tsx";
import { NumberField } from "../fields/number-field.tsx";
import { useForm } from "../form-context.ts";
import { TrafficPolicyFields } from "./traffic-policy-fields.tsx";

/** Policies for single ports of a host, each in place of the whole. `of` tells their sections apart. */
export function PortPolicies({ path, of }: { path: Path; of: string }) {
  const t = useTranslations("form");
  const { object, ports } = useForm();
  const found = valueAt(object, path);
  const numbers = (Array.isArray(found) ? found : []).map((_, index) =>
    Number(valueAt(found, [index, "port", "number"]) ?? 0),
  );
  const next = ports.find((port) => !numbers.includes(port)) ?? Math.max(80, ...numbers.map((port) => port + 1));
  return (
    <div className={styles.items}>
      <p className={styles.note}>{t("ports-whole")}</p>
      <ItemList
        path={path}
        as="card"
        nameOf={(index) => t("port-of", { port: numbers[index] ?? 0 })}
        testIdOf={(index) => `port-${of}-${index}`}
        add={{
          label: t("add-port", { port: next }),
          value: { port: { number: next }, connectionPool: { tcp: { connectTimeout: "10s" } } },
          testId: `add-port-${of}`,
        }}
      >
        {(item, index) => (
          <>
            <div className={styles.grid}>
              <NumberField path={[...item, "port", "number"]} label={t("port")} min={1} max={65_535} />
            </div>
            <TrafficPolicyFields path={item} of={`${of}-port-${index}`} />
          </>
        )}
      </ItemList>
    </div>
  );
}
