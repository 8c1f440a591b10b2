"use client";
import Link from "next/link";
import { useTranslations } from "use-intl";
import { objectHref } from "../lib/links.ts";
import { TimeOfDay } from "../ui/quantity.tsx";
import styles from "./proxies.module.css";
import { SyncMark } from "./sync-mark.tsx";
import type { RefusedResource } from "./sync-state.ts";

/** Every refusal said where it is: the proxy, the resource, its own words, the object that it comes from, what holds instead. */
export function RefusedList({ refused }: { refused: readonly RefusedResource[] }) {
  const t = useTranslations("proxies");
  if (refused.length === 0) return null;
  return (
    <ul className={styles.refused} role="alert" data-testid="refused">
      {refused.slice(0, 50).map(({ proxy, type, resource, detail, origin, sinceMs }) => (
        <li key={`${proxy.id}${type}${resource}${detail}`}>
          <SyncMark state="ERROR" />
          <b>{t("refused-what", { proxy: proxy.name, type: t(`one-${type}`) })}</b>{" "}
          {resource && <span className="mono">{resource}</span>} — <code>{detail}</code>{" "}
          {origin && (
            <>
              {t("comes-from")}{" "}
              <Link className="link" href={objectHref(origin.kind, origin.namespace, origin.name)}>
                {origin.kind} {origin.namespace}/{origin.name}
              </Link>
              .{" "}
            </>
          )}
          {t("in-force")}
          {sinceMs !== null && (
            <>
              {" "}
              {t("since")} <TimeOfDay ms={sinceMs} />
            </>
          )}
          .
        </li>
      ))}
    </ul>
  );
}
