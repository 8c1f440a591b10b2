"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { ChoiceField } from "../fields/choice-field.tsx";
import styles from "../fields/fields.module.css";
import { ListField } from "../fields/list-field.tsx";
import { SwitchField } from "../fields/switch-field.tsx";
import { TextField } from "../fields/text-field.tsx";

export function TlsFields({ path }: { path: Path }) {
  const t = useTranslations("form");
  return (
    <div className={styles.grid}>
      <ChoiceField
        path={[...path, "mode"]}
        label={t("tls-mode")}
        choices={["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]}
        placeholder={t("tls-auto")}
      />
      <TextField path={[...path, "sni"]} label="SNI" />
      <TextField path={[...path, "credentialName"]} label={t("credential")} />
      <ListField path={[...path, "subjectAltNames"]} label={t("alt-names")} />
      <TextField path={[...path, "caCertificates"]} label={t("ca-file")} placeholder={t("ca-system")} />
      <TextField path={[...path, "clientCertificate"]} label={t("certificate-file")} />
      <TextField path={[...path, "privateKey"]} label={t("key-file")} />
      <TextField path={[...path, "caCrl"]} label={t("crl-file")} placeholder={t("none")} />
      <SwitchField path={[...path, "insecureSkipVerify"]} label={t("skip-verify")} />
    </div>
  );
}
