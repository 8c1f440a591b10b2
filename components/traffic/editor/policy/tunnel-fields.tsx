"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { ChoiceField } from "../fields/choice-field.tsx";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { TextField } from "../fields/text-field.tsx";

/** What a connection begins with: a way through the destination to somebody else, and the client's address. */
export function TunnelFields({ policy }: { policy: Path }) {
  const t = useTranslations("form");
  const tunnel = [...policy, "tunnel"];
  return (
    <div className={styles.grid}>
      <TextField path={[...tunnel, "targetHost"]} label={t("tunnel-host")} placeholder={t("none")} />
      <NumberField path={[...tunnel, "targetPort"]} label={t("tunnel-port")} min={1} max={65_535} />
      <ChoiceField
        path={[...tunnel, "protocol"]}
        label={t("tunnel-by")}
        choices={["CONNECT", "POST"]}
        placeholder="CONNECT"
      />
      <ChoiceField
        path={[...policy, "proxyProtocol", "version"]}
        label={t("proxy-protocol")}
        choices={["V1", "V2"]}
        placeholder={t("none")}
      />
    </div>
  );
}
