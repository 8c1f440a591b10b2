"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { ChoiceField } from "../fields/choice-field.tsx";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { TextField } from "../fields/text-field.tsx";
import { BreakerUse } from "./breaker-use.tsx";
import { ConnectionDetails } from "./connection-details.tsx";

/** Bounds of connections and requests, beside what they hold right now. */
export function BreakerFields({ path, of }: { path: Path; of: string }) {
  const t = useTranslations("form");
  const [tcp, http] = [
    [...path, "tcp"],
    [...path, "http"],
  ];
  const unbounded = { placeholder: t("unbounded") };
  return (
    <div className={styles.items}>
      <BreakerUse path={path} />
      <div className={styles.grid}>
        <NumberField path={[...tcp, "maxConnections"]} label={t("max-connections")} {...unbounded} />
        <NumberField path={[...http, "http2MaxRequests"]} label={t("max-requests")} {...unbounded} />
        <NumberField path={[...http, "http1MaxPendingRequests"]} label={t("max-pending")} {...unbounded} />
        <NumberField path={[...http, "maxRetries"]} label={t("max-retries")} {...unbounded} />
        <NumberField path={[...http, "maxRequestsPerConnection"]} label={t("per-connection")} {...unbounded} />
        <TextField path={[...tcp, "connectTimeout"]} label={t("connect-timeout")} placeholder="10s" />
        <TextField path={[...http, "idleTimeout"]} label={t("idle-timeout")} placeholder="1h" />
        <ChoiceField
          path={[...http, "h2UpgradePolicy"]}
          label={t("h2-upgrade")}
          choices={["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"]}
          placeholder="DEFAULT"
        />
      </div>
      <ConnectionDetails path={path} of={of} />
    </div>
  );
}
