"use client";
import { Button, NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { ApiError, Receiver } from "../../server/contract/index.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { toApiError } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { LiveContent } from "../list/live-content.tsx";
import { ConfirmButton } from "../ui/confirm-button.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { putReceiver, removeReceiver, testReceiver, useReceivers } from "./alert-queries.ts";
import styles from "./alerts.module.css";

/** Who is told, outside of these pages. */
export function ReceiversPanel() {
  const t = useTranslations("alerts");
  const live = useReceivers();
  const [error, setError] = useState<ApiError | null>(null);
  const doing = (work: Promise<unknown>) =>
    work
      .then(() => setError(null))
      .catch((cause: unknown) => setError(toApiError(cause)))
      .finally(live.refresh);
  const columns: Column<Receiver>[] = [
    { key: "name", header: t("col-name"), phone: "title", cell: ({ name }) => name },
    { key: "kind", header: t("col-kind"), cell: ({ kind }) => t(`kind-${kind}`) },
    { key: "origin", header: t("col-origin"), cell: ({ origin }) => <span className="mono">{origin}</span> },
    { key: "last", header: t("col-last"), cell: ({ last }) => <Last last={last} /> },
    {
      key: "do",
      header: "",
      align: "right",
      cell: ({ name }) => (
        <span className={styles.buttons}>
          <Button
            size="compact-xs"
            variant="default"
            onClick={() => void doing(testReceiver(name))}
            data-testid="receiver-test"
          >
            {t("test")}
          </Button>
          <ConfirmButton
            size="compact-xs"
            variant="default"
            confirm={t("remove-confirm", { name })}
            onConfirm={() => void doing(removeReceiver(name))}
          >
            {t("remove")}
          </ConfirmButton>
        </span>
      ),
    },
  ];
  return (
    <Panel title={t("receivers")} hint={t("receivers-hint")} flush>
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={1} columns={5} />}>
        {({ receivers }) => (
          <DataTable
            caption={t("receivers")}
            columns={columns}
            rows={receivers}
            rowKey={({ name }) => name}
            empty={<EmptyState title={t("none-receivers")}>{t("none-receivers-text")}</EmptyState>}
          />
        )}
      </LiveContent>
      <ReceiverForm onSend={doing} />
      {error && (
        <div className={styles.error}>
          <FieldErrors error={error} />
        </div>
      )}
    </Panel>
  );
}

function Last({ last }: { last: Receiver["last"] }) {
  const t = useTranslations("alerts");
  const textOf = useErrorText();
  if (last === null) return <span className="muted">{t("last-never")}</span>;
  return (
    <span data-failed={!last.ok || undefined}>
      <Moment ms={last.at} /> {last.ok ? t("last-ok") : last.why && textOf(last.why)}
    </span>
  );
}

function ReceiverForm({ onSend }: { onSend(work: Promise<unknown>): void }) {
  const t = useTranslations("alerts");
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const value = (name: string) => String(new FormData(form).get(name) ?? "").trim();
    const sent = putReceiver({
      name: value("name"),
      kind: value("kind") === "slack" ? "slack" : "webhook",
      url: value("url"),
      ...(value("authorization") && { authorization: value("authorization") }),
    });
    // The address is a key: it does not stay in the form.
    onSend(sent.then(() => form.reset()));
  };
  return (
    <form className={styles.form} onSubmit={submit} data-testid="receiver-form">
      <TextInput
        size="xs"
        name="name"
        label={t("name")}
        placeholder="team"
        required
        withAsterisk={false}
        data-testid="receiver-name"
      />
      <NativeSelect
        size="xs"
        name="kind"
        label={t("kind")}
        data={[
          { value: "webhook", label: t("kind-webhook") },
          { value: "slack", label: t("kind-slack") },
        ]}
      />
      <PasswordInput
        size="xs"
        name="url"
        label={t("url")}
        placeholder="https://"
        autoComplete="off"
        visibilityToggleButtonProps={{ "aria-label": t("show-secret") }}
        required
        withAsterisk={false}
        data-testid="receiver-url"
      />
      <PasswordInput
        size="xs"
        name="authorization"
        label={t("authorization")}
        placeholder="Bearer …"
        autoComplete="off"
        visibilityToggleButtonProps={{ "aria-label": t("show-secret") }}
        data-testid="receiver-authorization"
      />
      <Button size="xs" type="submit" data-testid="receiver-add">
        {t("add")}
      </Button>
    </form>
  );
}
