"use client";
import { Button, Menu } from "@mantine/core";
import { IconChevronDown, IconPlus } from "@tabler/icons-react";
import { use, useEffect, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ChangeList } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { newObjectHref, objectHref } from "../lib/links.ts";
import type { Live } from "../lib/live.ts";
import { IfMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { FilterInput } from "../list/filter-input.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import { useFilter } from "../list/use-filter.ts";
import { formatAge } from "../ui/age.ts";
import type { Column } from "../ui/data-table.tsx";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { ChangeHistory } from "./change-history.tsx";
import styles from "./config.module.css";
import { type ConfigDocument, type ConfigDocuments, useObjects } from "./config-queries.ts";
import { createdAt } from "./object-yaml.ts";

export interface ConfigListPageProps {
  objects: Promise<Settled<ConfigDocuments>>;
  changes: Promise<Settled<ChangeList>>;
}

/** Every object of the mesh, and who changed what. Filter, kind and sorting are in the URL. */
export function ConfigListPage({ objects, changes }: ConfigListPageProps) {
  const t = useTranslations("config");
  const live = useObjects(use(objects));
  const recent = use(changes);
  const kinds = [...new Set(live.data?.objects.map(({ kind }) => kind))].toSorted();
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <FilterInput label={t("filter")} data-testid="config-filter" />
        <KindMenu kinds={kinds} />
        <IfMay as="operator">
          <Button
            component={Link}
            href={newObjectHref}
            leftSection={<IconPlus size={15} aria-hidden />}
            data-testid="new-object"
          >
            {t("new")}
          </Button>
        </IfMay>
      </PageHeader>
      <div className={styles.stack}>
        <Panel flush>
          <Objects live={live} />
        </Panel>
        <ChangeHistory title={t("history")} initial={recent} limit={50} />
      </div>
    </Page>
  );
}

function KindMenu({ kinds }: { kinds: readonly string[] }) {
  const t = useTranslations("config");
  const url = useUrlState();
  const kind = url.get("kind");
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <PillButton data-testid="kind-menu">
          {t("kind", { kind: kind ?? t("all") })}
          <IconChevronDown size={13} aria-hidden />
        </PillButton>
      </Menu.Target>
      <Menu.Dropdown>
        {[null, ...kinds].map((one) => (
          <Menu.Item
            key={one ?? "all"}
            aria-current={one === kind || undefined}
            onClick={() => url.set({ kind: one })}
            data-testid={`kind-${one ?? "all"}`}
          >
            {one ?? t("all")}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Objects({ live }: { live: Live<ConfigDocuments> }) {
  const t = useTranslations("config");
  const url = useUrlState();
  const columns = useColumns();
  const hasText = useFilter();
  const kind = url.get("kind");
  const matches = (object: ConfigDocument) =>
    (kind === null || object.kind === kind) && hasText(`${object.kind} ${object.namespace}/${object.name}`);
  return (
    <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={10} columns={5} />}>
      {({ objects }) => (
        <SortedTable
          caption={t("title")}
          columns={columns}
          rows={objects.filter(matches)}
          rowKey={keyOf}
          defaultSort="kind"
          rowProps={(object) => ({ "data-object": keyOf(object) })}
          empty={
            objects.length === 0 ? (
              <EmptyState title={t("empty")}>{t("empty-text")}</EmptyState>
            ) : (
              <NoMatch title={t("no-match")} filters={["filter", "kind"]} />
            )
          }
        />
      )}
    </LiveContent>
  );
}

const keyOf = ({ kind, namespace, name }: ConfigDocument): string => `${kind}/${namespace}/${name}`;

function useColumns(): Column<ConfigDocument>[] {
  const t = useTranslations("config");
  const locale = useLocale();
  // Ages are of the reader's clock, so they come with the page's first breath.
  const [now, setNow] = useState<number | null>(null);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  const age = ({ yaml }: ConfigDocument) => {
    const at = createdAt(yaml);
    return at === null || now === null ? null : now - at;
  };
  return [
    {
      key: "kind",
      // Not a bare text: on a phone it needs no label.
      header: <>{t("col-kind")}</>,
      phone: "title",
      sortValue: keyOf,
      cell: ({ kind }) => <span className="muted">{kind}</span>,
    },
    {
      key: "name",
      header: t("col-name"),
      phone: "title",
      sortValue: ({ name }) => name,
      cell: ({ kind, namespace, name }) => (
        <ObjectLink className={styles.name} href={objectHref(kind, namespace, name)}>
          {name}
        </ObjectLink>
      ),
    },
    {
      key: "namespace",
      header: t("col-namespace"),
      sortValue: ({ namespace }) => namespace,
      cell: ({ namespace }) => <span className="mono">{namespace || "–"}</span>,
    },
    {
      key: "version",
      header: t("col-version"),
      align: "right",
      sortValue: ({ resourceVersion }) => Number(resourceVersion),
      cell: ({ resourceVersion }) => <span className="num">{resourceVersion}</span>,
    },
    {
      key: "age",
      header: t("col-age"),
      align: "right",
      sortValue: (object) => age(object) ?? 0,
      cell: (object) => {
        const ms = age(object);
        return <span className="num muted">{ms === null ? "–" : formatAge(ms, locale)}</span>;
      },
    },
  ];
}
