"use client";
import { Button, Menu, TextInput } from "@mantine/core";
import { IconChevronDown, IconPlus } from "@tabler/icons-react";
import Link from "next/link";
import { use, useEffect, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ChangeList } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { objectHref } from "../lib/links.ts";
import type { Live } from "../lib/live.ts";
import { useUrlState } from "../lib/url-state.ts";
import { formatAge } from "../ui/age.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState, ErrorState, Notice } from "../ui/states.tsx";
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
  const url = useUrlState();
  const live = useObjects(use(objects));
  const recent = use(changes);
  const kinds = [...new Set(live.data?.objects.map(({ kind }) => kind))].toSorted();
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <TextInput
          size="xs"
          aria-label={t("filter")}
          placeholder={t("filter")}
          defaultValue={url.get("filter") ?? ""}
          key={url.get("filter") ? "set" : "empty"}
          onChange={(event) => url.set({ filter: event.currentTarget.value })}
          data-testid="config-filter"
        />
        <KindMenu kinds={kinds} />
        <Button
          component={Link}
          href="/config/new"
          leftSection={<IconPlus size={15} aria-hidden />}
          data-testid="new-object"
        >
          {t("new")}
        </Button>
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
          {t("kind")}: {kind ?? t("all")}
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
  const errors = useTranslations("error");
  const url = useUrlState();
  const columns = useColumns();
  const { data, error, failingSince, refresh } = live;
  if (!data && error) {
    return (
      <ErrorState
        title={t("unreadable")}
        detail={error.message}
        since={failingSince}
        works={errors("works-CONTROL_PLANE_UNREACHABLE")}
        onRetry={refresh}
      />
    );
  }
  if (!data) return <TableSkeleton rows={10} columns={5} />;
  const wanted = (url.get("filter") ?? "").trim().toLowerCase();
  const kind = url.get("kind");
  const rows = data.objects.filter(
    (object) =>
      (kind === null || object.kind === kind) &&
      `${object.kind} ${object.namespace}/${object.name}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      {error && <Notice tone="warn">{error.message}</Notice>}
      <DataTable
        caption={t("title")}
        columns={columns}
        rows={rows}
        rowKey={keyOf}
        sort={url.get("sort") ?? "kind"}
        onSort={(sort) => url.set({ sort })}
        rowProps={(object) => ({ "data-object": keyOf(object) })}
        empty={
          data.objects.length === 0 ? (
            <EmptyState title={t("empty")}>{t("empty-text")}</EmptyState>
          ) : (
            <EmptyState
              title={t("no-match")}
              action={<PillButton onClick={() => url.set({ filter: null, kind: null })}>{t("clear")}</PillButton>}
            />
          )
        }
      />
    </>
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
        <Link className={styles.name} href={objectHref(kind, namespace, name)}>
          {name}
        </Link>
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
