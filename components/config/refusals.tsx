"use client";
import { useTranslations } from "use-intl";
import { usePush } from "../lib/queries.ts";
import { Notice } from "../ui/states.tsx";
import styles from "./config.module.css";

/** Proxies that hold on to what was before, and in their own words why: the field is in them. */
export function Refusals({ revision }: { revision: number }) {
  const push = usePush(revision).data;
  const proxies = push?.revision === revision ? push.proxies.filter(({ state }) => state === "nacked") : [];
  return proxies.length > 0 && <RefusedBy proxies={proxies} />;
}

export function RefusedBy({ proxies }: { proxies: readonly { name: string; error: string | null }[] }) {
  const t = useTranslations("traffic");
  return (
    <div role="alert" data-testid="change-refused">
      <Notice tone="bad">
        {t("applied-refused", { proxies: proxies.map(({ name }) => name).join(", ") })}
        <ul className={styles.refusals}>
          {[...Map.groupBy(proxies, ({ error }) => error ?? "")].map(
            ([error, those]) =>
              error && (
                <li key={error}>
                  <b>{those.map(({ name }) => name).join(", ")}</b> {error}
                </li>
              ),
          )}
        </ul>
      </Notice>
    </div>
  );
}
