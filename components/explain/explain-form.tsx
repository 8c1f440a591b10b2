"use client";
import { Autocomplete, Button, NativeSelect, Textarea, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import { useTranslations } from "use-intl";
import { useProxies } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import styles from "./explain.module.css";
import { explainParams } from "./explain-query.ts";

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The request that is asked about. It is in the URL when it is sent off: half a URL explains nothing. */
export interface ExplainFormProps {
  /** Kept on the page only: an address is written down in many places. */
  token: string;
  onToken: (token: string) => void;
}

export function ExplainForm({ token, onToken }: ExplainFormProps) {
  const t = useTranslations("explain");
  const url = useUrlState();
  const proxies = (useProxies().data?.proxies ?? []).filter(({ connected }) => connected);
  const from = url.get("from") ?? "";
  const method = url.get("method") ?? "GET";
  const names = proxies.map(({ name, namespace }) => `${namespace}/${name}`);
  // A log line names the proxy by its node id: people know the workload.
  const called = proxies.find(({ id }) => id === from);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const value = (name: string) => String(form.get(name) ?? "").trim() || null;
    onToken(String(form.get("token") ?? "").trim());
    const asked = Object.fromEntries(explainParams.map((name) => [name, value(name)]));
    url.set({ ...asked, method: asked.method === "GET" ? null : (asked.method ?? null) }, "push");
  };
  return (
    <search aria-label={t("ask")}>
      <form className={styles.form} onSubmit={submit} data-testid="explain-form">
        <Autocomplete
          size="xs"
          className={styles.from ?? ""}
          name="from"
          label={t("from")}
          placeholder="default/productpage-v1"
          data={[...new Set(names)]}
          defaultValue={called ? `${called.namespace}/${called.name}` : from}
          key={called?.id ?? from}
          autoComplete="off"
          required
          withAsterisk={false}
          data-testid="explain-from"
        />
        <NativeSelect
          size="xs"
          name="method"
          label={t("method")}
          defaultValue={method}
          data={methods.includes(method) ? methods : [method, ...methods]}
          data-testid="explain-method"
        />
        <TextInput
          size="xs"
          className={styles.url ?? ""}
          name="url"
          label={t("url")}
          placeholder="http://reviews:9080/reviews/0"
          defaultValue={url.get("url") ?? ""}
          spellCheck={false}
          autoComplete="off"
          required
          withAsterisk={false}
          data-testid="explain-url"
        />
        <Textarea
          size="xs"
          className={styles.headers ?? ""}
          name="headers"
          label={t("headers")}
          placeholder="end-user: jason"
          defaultValue={url.get("headers") ?? ""}
          autosize
          minRows={1}
          maxRows={8}
          spellCheck={false}
          data-testid="explain-headers"
        />
        <Textarea
          size="xs"
          className={styles.headers ?? ""}
          name="token"
          label={t("token-field")}
          placeholder={t("token-placeholder")}
          defaultValue={token}
          autosize
          minRows={1}
          maxRows={8}
          spellCheck={false}
          autoComplete="off"
          data-testid="explain-token"
        />
        <Button type="submit" size="xs" data-testid="explain-ask">
          {t("do")}
        </Button>
      </form>
    </search>
  );
}
