"use client";
import { useTranslations } from "use-intl";
import type { EnvoyPreview } from "../../server/contract/index.ts";
import { ObjectDiffs } from "../config/yaml-diff.tsx";
import styles from "./envoy-diff.module.css";

/** The same change as the proxies would get it: resource by resource, with who holds it. */
export function EnvoyDiff({ preview }: { preview: EnvoyPreview | undefined }) {
  const t = useTranslations("traffic");
  if (!preview) return <p className={styles.note}>{t("envoy-unknown")}</p>;
  const { resources, more, proxies, unseen } = preview;
  if (resources.length === 0) return <p className={styles.note}>{t("envoy-none")}</p>;
  return (
    <div data-testid="envoy-diff">
      {resources.map(({ type, name, before, after, proxies: holders }) => (
        <div key={`${type}/${name}/${holders.join()}`} data-resource={name}>
          <p className={styles.resource}>
            <b>{type}</b> <span className="mono">{name}</span>
            <span className={styles.holders} title={holders.join(", ")}>
              {holders.length === proxies.length ? t("envoy-all", { count: holders.length }) : holders.join(", ")}
            </span>
          </p>
          <ObjectDiffs objects={[{ kind: type, namespace: "", name, before, after }]} />
        </div>
      ))}
      {more > 0 && <p className={styles.note}>{t("envoy-more", { count: more })}</p>}
      {unseen > 0 && <p className={styles.note}>{t("envoy-unseen", { count: unseen })}</p>}
    </div>
  );
}
