"use client";
import { use } from "react";
import { useTranslations } from "use-intl";
import type { Settled } from "../lib/api.ts";
import { configHref } from "../lib/links.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Link } from "../ui/link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import { ChangeHistory } from "./change-history.tsx";
import styles from "./config.module.css";
import { type ConfigDocument, type ObjectKey, useObject } from "./config-queries.ts";
import { ObjectDraft } from "./object-draft.tsx";

export interface ObjectPageProps {
  object: ObjectKey;
  initial: Promise<Settled<ConfigDocument>>;
}

/** One object: its YAML to read and to change, and who changed it. */
export function ObjectPage({ object, initial }: ObjectPageProps) {
  const t = useTranslations("config");
  const live = useObject(object, use(initial));
  const { data, error } = live;
  const path = object.namespace ? `${object.namespace}/${object.name}` : object.name;
  return (
    <Page>
      <PageHeader
        title={object.name}
        hint={
          <span className="mono">
            {object.kind}
            {object.namespace && ` · ${object.namespace}`}
            {data && ` · ${t("revision", { revision: data.resourceVersion })}`}
          </span>
        }
        before={
          <Link className="link" href={configHref}>
            {t("title")}
          </Link>
        }
      />
      {data && error?.code === "NOT_FOUND" && <Notice tone="warn">{t("deleted")}</Notice>}
      {!data && error?.code === "NOT_FOUND" ? (
        <EmptyState
          title={t("unknown", { object: `${object.kind} ${path}` })}
          action={
            <Link className="link" href={configHref}>
              {t("to-list")}
            </Link>
          }
        />
      ) : (
        <LiveContent
          live={error?.code === "NOT_FOUND" ? { ...live, error: null } : live}
          unreadable={t("unreadable")}
          skeleton={<SkeletonBlock height={480} />}
        >
          {(document) => (
            <div className={styles.stack}>
              <ObjectDraft document={document} />
              <ChangeHistory
                title={t("history")}
                matches={({ objects }) =>
                  objects.some(
                    (one) => one.kind === object.kind && one.namespace === object.namespace && one.name === object.name,
                  )
                }
              />
            </div>
          )}
        </LiveContent>
      )}
    </Page>
  );
}
