"use client";
import { useTranslations } from "use-intl";
import type { ProxySync, PushSummary } from "../../server/contract/index.ts";
import { useAuthor } from "../config/change-text.ts";
import { compareHref, objectHref, proxyHref } from "../lib/links.ts";
import { useChanges } from "../lib/queries.ts";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import { EmptyState } from "../ui/states.tsx";
import { type PastRefusal, pastRefusals } from "./past-refusals.ts";
import styles from "./refused-list.module.css";
import { SyncMark } from "./sync-mark.tsx";

const shownAtMost = 30;

/** What was refused since the control plane started: what stands still, and what was settled, each with the change behind it. */
export function RefusalInbox({ proxies, pushes }: { proxies: readonly ProxySync[]; pushes: readonly PushSummary[] }) {
  const t = useTranslations("proxies");
  const changes = useChanges({ sinceMs: 0, limit: 500 }).data?.changes ?? [];
  const found = pastRefusals(pushes, proxies, changes).toSorted(
    (a, b) => Number(b.open) - Number(a.open) || b.revision - a.revision,
  );
  const open = found.filter((one) => one.open).length;
  return (
    <div className={styles.inbox}>
      <Panel
        title={t("inbox")}
        hint={t("inbox-hint", { open, settled: found.length - open })}
        flush
        data-testid="inbox"
      >
        {found.length === 0 ? (
          <EmptyState title={t("inbox-none")}>{t("inbox-none-text")}</EmptyState>
        ) : (
          <ul className={styles.past}>
            {found.slice(0, shownAtMost).map((one) => (
              <Refusal key={`${one.revision} ${one.error}`} refusal={one} />
            ))}
          </ul>
        )}
      </Panel>
    </div>
  );
}

function Refusal({ refusal }: { refusal: PastRefusal }) {
  const t = useTranslations("proxies");
  const authorOf = useAuthor();
  const { revision, committedAt, author, error, proxies, objects, open } = refusal;
  return (
    <li data-open={open} data-revision={revision}>
      <SyncMark state={open ? "ERROR" : "SYNCED"} silent />
      <div>
        <p>
          <b>{t(open ? "refusal-open" : "refusal-settled")}</b>{" "}
          <Link className="link" href={compareHref(`r${revision - 1}`, `r${revision}`)}>
            {t("revision-of", { revision, author: authorOf(author) })}
          </Link>{" "}
          <span className="muted">
            <Moment ms={committedAt} />
          </span>
        </p>
        <p className={styles.detail}>{error}</p>
        <p>
          {objects.slice(0, 6).map(({ kind, namespace, name }) => (
            <ObjectLink
              key={`${kind}/${namespace}/${name}`}
              className={`link ${styles.about}`}
              href={objectHref(kind, namespace, name)}
            >
              {kind} {namespace && `${namespace}/`}
              {name}
            </ObjectLink>
          ))}
          {proxies.slice(0, 8).map(({ id, name }) => (
            <Link key={id} className={`muted ${styles.about}`} href={proxyHref(id)}>
              {name}
            </Link>
          ))}
          {proxies.length > 8 && <span className="muted">+{proxies.length - 8}</span>}
        </p>
      </div>
    </li>
  );
}
