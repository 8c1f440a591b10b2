"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { Section } from "../fields/section.tsx";
import { SwitchField } from "../fields/switch-field.tsx";
import { TextField } from "../fields/text-field.tsx";

/** How long a connection lives, how it is kept alive, and what it speaks. */
export function ConnectionDetails({ path, of }: { path: Path; of: string }) {
  const t = useTranslations("form");
  const [tcp, http] = [
    [...path, "tcp"],
    [...path, "http"],
  ];
  const paths = [
    ...["idleTimeout", "maxConnectionDuration", "tcpKeepalive"].map((name) => [...tcp, name]),
    ...["maxConcurrentStreams", "useClientProtocol", "http2KeepAlive"].map((name) => [...http, name]),
  ];
  return (
    <Section title={t("connection-details")} paths={paths} testId={`section-connection-${of}`}>
      <div className={styles.grid}>
        <TextField path={[...tcp, "idleTimeout"]} label={t("idle-timeout-tcp")} placeholder="1h" />
        <TextField path={[...tcp, "maxConnectionDuration"]} label={t("connection-duration")} placeholder={t("none")} />
        <NumberField
          path={[...http, "maxConcurrentStreams"]}
          label={t("concurrent-streams")}
          placeholder={t("unbounded")}
        />
        <TextField path={[...tcp, "tcpKeepalive", "time"]} label={t("keepalive-time")} placeholder={t("by-system")} />
        <TextField
          path={[...tcp, "tcpKeepalive", "interval"]}
          label={t("keepalive-interval")}
          placeholder={t("by-system")}
        />
        <NumberField
          path={[...tcp, "tcpKeepalive", "probes"]}
          label={t("keepalive-probes")}
          placeholder={t("by-system")}
        />
        <TextField path={[...http, "http2KeepAlive", "interval"]} label={t("ping-interval")} placeholder={t("none")} />
        <TextField path={[...http, "http2KeepAlive", "timeout"]} label={t("ping-timeout")} />
        <SwitchField path={[...http, "useClientProtocol"]} label={t("client-protocol")} />
      </div>
    </Section>
  );
}
