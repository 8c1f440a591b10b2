"use client";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { BooleanField } from "../fields/boolean-field.tsx";
import styles from "../fields/fields.module.css";
import { ItemList } from "../fields/item-list.tsx";
import { ListField } from "../fields/list-field.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useForm } from "../form-context.ts";
import { LocalityShares } from "./locality-shares.tsx";

/** Which endpoints' places count, and what becomes of calls from a place: shared by weight, or sent elsewhere when nobody there is well. */
export function LocalityFields({ path, outlier }: { path: Path; outlier: Path }) {
  const t = useTranslations("form");
  const { object } = useForm();
  const failover = valueAt(object, [...path, "failover"]) ?? valueAt(object, [...path, "failoverPriority"]);
  return (
    <div className={styles.items}>
      <div className={styles.grid}>
        <BooleanField path={[...path, "enabled"]} label={t("locality-on")} placeholder={t("locality-default")} />
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

function Distribute({ path }: { path: Path }) {
  const t = useTranslations("form");
  return (
    <div className={styles.items}>
      <span className={styles.label}>{t("distribute")}</span>
      <ItemList
        path={path}
        as="card"
        nameOf={(index) => t("locality-number", { number: index + 1 })}
        testIdOf={(index) => `distribute-${index}`}
        add={{
          label: t("distribute-add"),
          value: { from: "region1/*", to: { "region1/*": 80, "region2/*": 20 } },
          testId: "add-distribute",
        }}
      >
        {(item) => (
          <div className={styles.items}>
            <TextField path={[...item, "from"]} label={t("distribute-from")} placeholder="region/zone/*" required />
            <LocalityShares path={[...item, "to"]} />
          </div>
        )}
      </ItemList>
    </div>
  );
}

function Failover({ path }: { path: Path }) {
  const t = useTranslations("form");
  return (
    <div className={styles.items}>
      <span className={styles.label}>{t("failover")}</span>
      <ItemList
        path={path}
        as="row"
        nameOf={(index) => t("region-number", { number: index + 1 })}
        testIdOf={(index) => `failover-${index}`}
        add={{ label: t("failover-add"), value: { from: "region1", to: "region2" }, testId: "add-failover" }}
      >
        {(item) => (
          <>
            <TextField path={[...item, "from"]} label={t("distribute-from")} required />
            <TextField path={[...item, "to"]} label={t("failover-to")} required />
          </>
        )}
      </ItemList>
    </div>
  );
}
