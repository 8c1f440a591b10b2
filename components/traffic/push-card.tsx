"use client";
import Link from "next/link";
import { useEffect, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { PushStatus } from "../../server/contract/index.ts";
import { useAuthor } from "../config/change-text.ts";
import { useErrorText } from "../lib/error-text.ts";
import { proxyHref } from "../lib/links.ts";
import { usePush } from "../lib/queries.ts";
import { formatMs, quantityText } from "../ui/format.ts";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import styles from "./push-card.module.css";

const closelyMs = 100;

/**
 * How a revision reaches the fleet, proxy by proxy; `latest` when there is none of these rules. `own`: this page has just written it, and
 * its proxies are waited for before the first word of them.
 */
export function PushCard({ revision, own = true }: { revision: number | "latest"; own?: boolean }) {
  const t = useTranslations("traffic");
  const authorOf = useAuthor();
  const textOf = useErrorText();
  const [done, setDone] = useState<number | "latest" | null>(null);
  const follows = own && revision !== "latest" && done !== revision;
  const { data, error } = usePush(revision, follows ? closelyMs : 2000);
  const isOther = data && revision !== "latest" && data.revision !== revision;
  const push = isOther ? (own ? awaited(data, revision) : undefined) : data;
  const isComplete = push?.complete === true && push.revision === revision;
  useEffect(() => {
    if (isComplete) setDone(revision);
  }, [isComplete, revision]);
  return (
    <Panel
      title={t("last-push")}
      hint={
        push && (
          <>
            {push.author
              ? t("push-of", { revision: push.revision, author: authorOf(push.author) })
              : t("push-own", { revision: push.revision })}{" "}
            · <Moment ms={push.committedAt} />
          </>
        )
      }
      actions={push && push.proxies.length + (push.missed?.length ?? 0) > 0 && <Summary push={push} />}
      flush
      data-testid="push-status"
    >
      {push ? (
        <Proxies push={push} />
      ) : (
        <div className={styles.rows}>
          {error ? (
            textOf(error)
          ) : push === undefined ? (
            <SkeletonBlock width="60%" />
          ) : revision === "latest" ? (
            t("push-none")
          ) : (
            t("push-forgotten", { revision })
          )}
        </div>
      )}
    </Panel>
  );
}

/** Until the first answer about a revision: the proxies of the one before, all waited for. */
const awaited = (before: PushStatus, revision: number): PushStatus => ({
  ...before,
  revision,
  author: "",
  committedAt: Date.now(),
  complete: false,
  ms: null,
  proxies: before.proxies.map((proxy) => ({ ...proxy, state: "pending", ms: null, error: null })),
});

function Summary({ push }: { push: PushStatus }) {
  const t = useTranslations("traffic");
  const locale = useLocale();
  const there = push.proxies.filter(({ state }) => state === "acked").length;
  const missed = (push.missed ?? []).filter(({ id }) => !push.proxies.some((proxy) => proxy.id === id)).length;
  const worst = Math.max(0, ...push.proxies.map(({ ms }) => ms ?? 0));
  return (
    <span data-testid="push-summary" data-complete={push.complete} aria-live="polite">
      {t("push-there", { count: there, total: push.proxies.length + missed })}{" "}
      <b className={styles.ms}>{push.complete ? quantityText(formatMs(push.ms ?? worst, locale)) : "…"}</b>
    </span>
  );
}

function Proxies({ push }: { push: PushStatus }) {
  const t = useTranslations("traffic");
  const worst = Math.max(1, ...push.proxies.map(({ ms }) => ms ?? 0));
  const missed = (push.missed ?? []).filter(({ id }) => !push.proxies.some((proxy) => proxy.id === id));
  if (push.proxies.length + missed.length === 0) return <p className={styles.rows}>{t("push-nobody")}</p>;
  return (
    <ul className={styles.rows}>
      {push.proxies.toSorted(byArrival).map((proxy) => (
        <ProxyRow key={proxy.id} proxy={proxy} worst={worst} />
      ))}
      {missed.map((proxy) => (
        <li key={proxy.id} className={styles.row} data-state="missed" data-proxy={proxy.name}>
          <Link href={proxyHref(proxy.id)} title={proxy.id} prefetch={false}>
            {proxy.name}
          </Link>
          <i />
          <span>{t("push-missed")}</span>
          <p>{t.rich("push-missed-since", { time: () => <Moment ms={proxy.disconnectedAt} /> })}</p>
        </li>
      ))}
    </ul>
  );
}

type ProxyPush = PushStatus["proxies"][number];

/** As they arrived; those that still owe an answer last. */
const byArrival = (a: ProxyPush, b: ProxyPush): number =>
  (a.ms ?? Infinity) - (b.ms ?? Infinity) || a.name.localeCompare(b.name);

function ProxyRow({ proxy, worst }: { proxy: ProxyPush; worst: number }) {
  const t = useTranslations("traffic");
  const locale = useLocale();
  const { state, ms } = proxy;
  return (
    <li className={styles.row} data-state={state} data-proxy={proxy.name}>
      <Link href={proxyHref(proxy.id)} title={proxy.id} prefetch={false}>
        {proxy.name}
      </Link>
      <i style={{ width: `${ms === null ? 0 : Math.max(2, (ms / worst) * 100)}%` }} />
      <span className="num">
        {state === "nacked"
          ? t("push-refused")
          : state === "gone"
            ? t("push-gone")
            : ms === null
              ? "…"
              : quantityText(formatMs(ms, locale))}
      </span>
      {proxy.error && <p>{proxy.error}</p>}
    </li>
  );
}
