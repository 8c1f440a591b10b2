"use client";
import { useTranslations } from "use-intl";
import type { GatewayServerView, GatewayView } from "../../server/contract/index.ts";
import { objectHref, ruleHref } from "../lib/links.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { CertificateEnd } from "./certificate-end.tsx";
import styles from "./gateways.module.css";

/** What a Gateway listens on. */
export function ServerTable({ gateway, now }: { gateway: GatewayView; now: number }) {
  const t = useTranslations("gateways");
  const { namespace, name } = gateway;
  const columns: Column<GatewayServerView>[] = [
    {
      key: "port",
      header: t("col-port"),
      phone: "title",
      width: 130,
      cell: ({ index, port, protocol }) => (
        <ObjectLink
          className="link num"
          href={ruleHref({ kind: "Gateway", namespace, name, rule: `servers[${index}]` })}
        >
          {port} {protocol}
        </ObjectLink>
      ),
    },
    {
      key: "hosts",
      header: t("col-hosts"),
      cell: ({ hosts }) => (
        <span className={`mono ${styles.wrap}`}>
          {hosts.map((host) => (host === "*" ? t("any-host") : host)).join(", ")}
        </span>
      ),
    },
    {
      key: "tls",
      header: t("col-tls"),
      cell: ({ tls }) => (
        <span>
          {tls === null || tls.mode === "NONE" ? t("plain-text") : tls.mode}
          {tls?.httpsRedirect && <span className="muted"> {t("redirects")}</span>}
        </span>
      ),
    },
    {
      key: "certificates",
      header: t("col-certificates"),
      cell: ({ certificates }) =>
        certificates.length === 0 ? (
          <span className="muted">–</span>
        ) : (
          <span className={styles.certificates}>
            {certificates.map((one) => (
              <CertificateEnd key={one.from} certificate={one} now={now} />
            ))}
          </span>
        ),
    },
    {
      key: "routed",
      header: t("col-routed"),
      cell: ({ routedBy, tls }) =>
        routedBy.length === 0 ? (
          <span className={tls?.httpsRedirect ? "muted" : styles.warn}>
            {t(tls?.httpsRedirect ? "only-redirects" : "not-found")}
          </span>
        ) : (
          <span className={styles.wrap}>
            {routedBy.map((key, index) => {
              const [ofNamespace = "", ofName = ""] = key.split("/");
              return (
                <span key={key}>
                  {index > 0 && ", "}
                  <ObjectLink className="link" href={objectHref("VirtualService", ofNamespace, ofName)}>
                    {ofName}
                  </ObjectLink>
                </span>
              );
            })}
          </span>
        ),
    },
  ];
  return (
    <DataTable
      caption={t("listeners")}
      columns={columns}
      rows={gateway.servers}
      rowKey={({ index }) => String(index)}
      rowProps={({ port }) => ({ "data-port": String(port) })}
    />
  );
}
