"use client";
import { useLocale, useTranslations } from "use-intl";
import { lifeOf, type ProxySync } from "../../server/contract/index.ts";
import { formatAge } from "../ui/age.ts";
import styles from "./identity.module.css";

/** Who the proxy is to other proxies, and for how long its certificate says so. */
export function Identity({ proxy: { identity, certificate }, now }: { proxy: ProxySync; now: number }) {
  const t = useTranslations("proxies");
  const locale = useLocale();
  if (identity === null) {
    return (
      <p className={styles.identity} data-testid="proxy-identity">
        <span className="muted">{t("no-identity")}</span>
      </p>
    );
  }
  const life = certificate && lifeOf(certificate, now);
  const time = new Intl.DateTimeFormat(locale, {
    dateStyle: "medium",
    timeStyle: "short",
    hourCycle: "h23",
  });
  return (
    <dl className={styles.identity} data-testid="proxy-identity">
      <div>
        <dt>{t("identity")}</dt>
        <dd className="mono">{identity}</dd>
      </div>
      {certificate && life && (
        <>
          <div>
            <dt>{t("certificate-until")}</dt>
            <dd data-tone={life.tone} title={t("certificate-from", { time: time.format(certificate.notBeforeMs) })}>
              {time.format(certificate.notAfterMs)} ·{" "}
              {life.tone === "bad"
                ? t("certificate-ended")
                : t("certificate-left", { left: formatAge(life.leftMs, locale) })}
            </dd>
          </div>
          <div>
            <dt>{t("certificate-issuer")}</dt>
            <dd>{certificate.issuer}</dd>
          </div>
          <div>
            <dt>{t("certificate-serial")}</dt>
            <dd className="mono">{certificate.serial}</dd>
          </div>
        </>
      )}
    </dl>
  );
}
