"use client";
import { Autocomplete, Button } from "@mantine/core";
import type { FormEvent } from "react";
import { useTranslations } from "use-intl";
import { mayLeave } from "../lib/leave-guard.ts";
import { useProxies } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { PillButton } from "../ui/pill.tsx";
import styles from "./advice.module.css";

/** For whom, and what: both are in the address. */
export function TargetForm() {
  const t = useTranslations("advice");
  const url = useUrlState();
  const proxies = useProxies().data?.proxies ?? [];
  const names = proxies.flatMap(({ namespace, app, name }) => [
    namespace,
    `${namespace}/${app}`,
    `${namespace}/${name}`,
  ]);
  const [namespace, workload] = [url.get("namespace"), url.get("workload")];
  const show = url.get("show") === "scope" ? "scope" : "policy";
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!mayLeave()) return;
    const text = String(new FormData(event.currentTarget).get("target") ?? "").trim();
    const [asked = "", of] = text.split("/");
    url.set({ namespace: asked || null, workload: of || null }, "push");
  };
  return (
    <search aria-label={t("ask")}>
      <form className={styles.form} onSubmit={submit}>
        <Autocomplete
          size="xs"
          name="target"
          label={t("target")}
          placeholder="default/reviews"
          data={[...new Set(names)].sort()}
          defaultValue={[namespace, workload].filter(Boolean).join("/")}
          autoComplete="off"
          data-testid="advice-target"
        />
        <Button type="submit" size="xs" data-testid="advice-ask">
          {t("do")}
        </Button>
        <div className={styles.kinds}>
          {(["policy", "scope"] as const).map((one) => (
            <PillButton
              key={one}
              pressed={show === one}
              onClick={() => mayLeave() && url.set({ show: one === "scope" ? "scope" : null })}
              data-testid={`advice-${one}`}
            >
              {t(`show-${one}`)}
            </PillButton>
          ))}
        </div>
      </form>
    </search>
  );
}
