"use client";
import { Button, CopyButton, Menu } from "@mantine/core";
import { IconDots, IconPlus } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { allows, type SignInLink, type User, wholeMesh } from "../../server/contract/index.ts";
import { useMay, useSession } from "../lib/session.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import type { Column } from "../ui/data-table.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { Moment } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import styles from "./access.module.css";
import { changeUser, deleteUser, makeLink, signOutUser, useUsers } from "./access-queries.ts";
import { GrantsText } from "./grants-field.tsx";
import { TokenList } from "./tokens.tsx";
import { useAct } from "./use-act.ts";
import { UserModal } from "./user-modal.tsx";

/** Who may come in, with which roles. Administrators of some namespaces look after roles there. */
export function UsersPage() {
  const t = useTranslations("users");
  const may = useMay();
  const live = useUsers();
  const [open, setOpen] = useState<{ user: User | undefined } | null>(null);
  const [link, setLink] = useState<SignInLink | null>(null);
  const isMeshWide = may("administrator", wholeMesh);
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <Button
          leftSection={<IconPlus size={15} aria-hidden />}
          onClick={() => setOpen({ user: undefined })}
          data-testid="user-new"
        >
          {t("add")}
        </Button>
      </PageHeader>
      <div className={styles.stack}>
        {link && <LinkPanel link={link} onClose={() => setLink(null)} />}
        <Panel flush data-testid="users">
          <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={3} columns={5} />}>
            {({ users }) => <Users users={users} onEdit={(user) => setOpen({ user })} onLink={setLink} />}
          </LiveContent>
        </Panel>
        {isMeshWide && <TokenList everybody />}
      </div>
      {open && <UserModal user={open.user} onClose={() => setOpen(null)} />}
    </Page>
  );
}

interface UsersProps {
  users: readonly User[];
  onEdit: (user: User) => void;
  onLink: (link: SignInLink) => void;
}

function Users({ users, onEdit, onLink }: UsersProps) {
  const t = useTranslations("users");
  const columns: Column<User>[] = [
    {
      key: "name",
      header: t("col-name"),
      sortValue: ({ name }) => name,
      phone: "title",
      cell: ({ name, displayName, disabled }) => (
        <>
          <b>{name}</b> {displayName && <span className="muted">{displayName}</span>}{" "}
          {disabled && <span className={styles.refused}>{t("disabled")}</span>}
        </>
      ),
    },
    { key: "roles", header: t("col-roles"), cell: ({ grants }) => <GrantsText grants={grants} /> },
    {
      key: "way",
      header: t("way"),
      cell: ({ fromProvider, hasPassword }) =>
        fromProvider ? t("way-provider") : hasPassword ? t("way-password") : t("way-link"),
    },
    {
      key: "sessions",
      header: t("sessions"),
      align: "right",
      sortValue: ({ sessions }) => sessions,
      cell: ({ sessions }) => sessions,
    },
    {
      key: "last",
      header: t("last"),
      sortValue: ({ lastSignInAt }) => lastSignInAt ?? 0,
      cell: ({ lastSignInAt }) => (lastSignInAt === null ? t("never") : <Moment ms={lastSignInAt} />),
    },
    {
      key: "actions",
      header: "",
      align: "right",
      cell: (user) => <UserMenu user={user} onEdit={onEdit} onLink={onLink} />,
    },
  ];
  return (
    <SortedTable caption={t("title")} columns={columns} rows={users} rowKey={({ name }) => name} defaultSort="name" />
  );
}

function UserMenu({ user, onEdit, onLink }: { user: User } & Omit<UsersProps, "users">) {
  const t = useTranslations("users");
  const act = useAct();
  const may = useMay();
  const session = useSession();
  const { name, grants, disabled } = user;
  const whole = grants.every(({ namespace }) => allows(session?.grants ?? [], { role: "administrator", namespace }));
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <PillButton aria-label={t("actions-of", { name })} data-testid={`user-actions-${name}`}>
          <IconDots size={14} aria-hidden />
        </PillButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => onEdit(user)}>{t("edit")}</Menu.Item>
        {may("administrator", wholeMesh) && (
          <Menu.Item
            onClick={() =>
              void act(async () => {
                onLink(await makeLink(name));
              })
            }
          >
            {t("make-link")}
          </Menu.Item>
        )}
        {whole && (
          <>
            <Menu.Item onClick={() => void act(() => signOutUser(name))}>{t("sign-out")}</Menu.Item>
            <Menu.Item onClick={() => void act(() => changeUser(name, { disabled: !disabled }))}>
              {disabled ? t("enable") : t("disable")}
            </Menu.Item>
            <Menu.Item color="var(--bad)" onClick={() => void act(() => deleteUser(name))}>
              {t("delete", { name })}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function LinkPanel({ link, onClose }: { link: SignInLink; onClose: () => void }) {
  const t = useTranslations("users");
  return (
    <div className={styles.secret} role="status">
      <p>{t("link-text", { name: link.name })}</p>
      <code>{link.url}</code>
      <div className={styles.actions}>
        <CopyButton value={link.url}>
          {({ copied, copy }) => (
            <Button size="compact-sm" onClick={copy}>
              {copied ? t("copied") : t("copy")}
            </Button>
          )}
        </CopyButton>
        <Button size="compact-sm" variant="default" onClick={onClose}>
          {t("close")}
        </Button>
      </div>
    </div>
  );
}
