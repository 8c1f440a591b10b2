"use client";
import { Button, CopyButton, NativeSelect, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { ApiToken, Grant } from "../../server/contract/index.ts";
import { useSession } from "../lib/session.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { ConfirmButton } from "../ui/confirm-button.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./access.module.css";
import { createToken, revokeToken, useTokens } from "./access-queries.ts";
import { GrantsField, GrantsText } from "./grants-field.tsx";
import { useAct } from "./use-act.ts";

/** Tokens of programs: one's own, or `everybody`'s. */
export function TokenList({ everybody = false }: { everybody?: boolean }) {
  const t = useTranslations("tokens");
  const live = useTokens(everybody);
  const act = useAct();
  const columns: Column<ApiToken>[] = [
    {
      key: "name",
      header: t("name"),
      phone: "title",
      cell: ({ name, id }) => (
        <>
          <b>{name}</b> <code className="mono">{id}</code>
        </>
      ),
    },
    ...(everybody ? [{ key: "owner", header: t("owner"), cell: ({ owner }: ApiToken) => owner }] : []),
    { key: "scope", header: t("scope"), cell: ({ grants }) => <GrantsText grants={grants} /> },
    { key: "ends", header: t("ends"), cell: ({ endsAt }) => <Moment ms={endsAt} /> },
    { key: "used", header: t("used"), cell: ({ usedAt }) => (usedAt === null ? t("never") : <Moment ms={usedAt} />) },
    {
      key: "revoke",
      header: "",
      align: "right",
      cell: ({ id, name }) => (
        <ConfirmButton
          size="compact-xs"
          variant="default"
          confirm={t("revoke-confirm", { name })}
          onConfirm={() => void act(() => revokeToken(id))}
        >
          {t("revoke")}
        </ConfirmButton>
      ),
    },
  ];
  return (
    <Panel title={t(everybody ? "title-all" : "title")} hint={t("hint")} flush data-testid="tokens">
      <LiveContent live={live} skeleton={<TableSkeleton rows={1} columns={5} />}>
        {({ tokens }) => (
          <DataTable
            caption={t("title")}
            columns={columns}
            rows={tokens}
            rowKey={({ id }) => id}
            empty={<EmptyState title={t("none")} />}
          />
        )}
      </LiveContent>
    </Panel>
  );
}

const days = [1, 7, 30, 90, 365];

/** Never more than one has oneself; the token itself is shown this once. */
export function NewToken() {
  const t = useTranslations("tokens");
  const session = useSession();
  const act = useAct();
  const [grants, setGrants] = useState<Grant[]>([{ role: "viewer", namespace: "*" }]);
  const [made, setMade] = useState<string | null>(null);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const token = { name: String(given.get("name")), ttlSec: Number(given.get("days")) * 86_400, grants };
    void act(async () => setMade((await createToken(token)).token));
  };
  if (session === null) return null;
  return (
    <form className={styles.form} onSubmit={submit}>
      <div className={styles.plain}>
        <TextInput name="name" label={t("for")} placeholder={t("for-example")} required maxLength={100} />
        <NativeSelect
          name="days"
          label={t("lasts")}
          defaultValue="30"
          data={days.map((count) => ({ value: String(count), label: t("days", { count }) }))}
        />
      </div>
      <GrantsField grants={grants} onChange={setGrants} />
      <div>
        <Button type="submit" data-testid="token-create">
          {t("create")}
        </Button>
      </div>
      {made !== null && (
        <div className={styles.secret} role="status" data-testid="token-made">
          <p>{t("made")}</p>
          <code>{made}</code>
          <div className={styles.actions}>
            <CopyButton value={made}>
              {({ copied, copy }) => (
                <Button size="compact-sm" onClick={copy}>
                  {copied ? t("copied") : t("copy")}
                </Button>
              )}
            </CopyButton>
          </div>
        </div>
      )}
    </form>
  );
}
