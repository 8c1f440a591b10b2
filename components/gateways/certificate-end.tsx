"use client";
import { useLocale, useTranslations } from "use-intl";
import { certificateTone, type ServerCertificate } from "../../server/contract/index.ts";
import { formatAge } from "../ui/age.ts";
import styles from "./gateways.module.css";

/** Whose certificate a server shows, and when it ends; how far away that is, once it is known what time it is there (0: not yet). */
export function CertificateEnd({ certificate, now }: { certificate: ServerCertificate; now: number }) {
  const t = useTranslations("gateways");
  const locale = useLocale();
  const { from, found, subject, names, issuer, notAfterMs } = certificate;
  const tone = certificateTone(certificate, now);
  const end = notAfterMs === null ? null : new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(notAfterMs);
  return (
    <span className={styles.certificate} data-tone={tone} data-testid={`certificate-${from}`}>
      <span className="mono" title={issuer ? t("issued-by", { issuer }) : undefined}>
        {names.slice(0, 3).join(", ") || subject || from}
      </span>
      <span className={styles.end}>
        {!found
          ? t("certificate-missing", { from })
          : notAfterMs === null || end === null
            ? t("certificate-unknown", { from })
            : notAfterMs <= now
              ? t("certificate-ended", { end })
              : now === 0
                ? t("certificate-until", { end })
                : t("certificate-ends", { end, left: formatAge(notAfterMs - now, locale) })}
      </span>
    </span>
  );
}
