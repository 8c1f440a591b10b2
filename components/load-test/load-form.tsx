"use client";
import { Autocomplete, Button, NativeSelect, NumberInput, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { type ApiError, type LoadTarget, loadLimits } from "../../server/contract/index.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { toApiError } from "../lib/api.ts";
import styles from "./load.module.css";
import { chosenTarget, type LoadDraft, planOf, targetKey } from "./load-draft.ts";
import { startLoadTest } from "./load-queries.ts";

export interface LoadFormProps {
  targets: readonly LoadTarget[];
  draft: LoadDraft;
  onChange(draft: LoadDraft): void;
  onStarted(): void;
  /** One at a time. */
  busy: boolean;
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Through whom, what, how often and for how long. */
export function LoadForm({ targets, draft, onChange, onStarted, busy }: LoadFormProps) {
  const t = useTranslations("load-test");
  const [error, setError] = useState<ApiError | null>(null);
  const [sending, setSending] = useState(false);
  const target = chosenTarget(targets, draft);
  const set = (patch: Partial<LoadDraft>) => onChange({ ...draft, ...patch });
  const start = async () => {
    if (!target) return;
    setSending(true);
    setError(null);
    await startLoadTest(planOf(draft, target)).then(onStarted, (cause) => setError(toApiError(cause)));
    setSending(false);
  };
  return (
    <form
      className={styles.form}
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
      data-testid="load-form"
    >
      <div className={styles.request}>
        <NativeSelect
          label={t("through")}
          value={target ? targetKey(target) : ""}
          onChange={({ currentTarget }) => set({ target: currentTarget.value, host: "" })}
          data={targets.map((one) => ({
            value: targetKey(one),
            label: t(one.kind === "gateway" ? "as-gateway" : "as-workload", {
              name: one.name,
              origin: one.origin.replace(/^http:\/\//, ""),
            }),
          }))}
          data-testid="load-target"
        />
        <Autocomplete
          label={t("host")}
          placeholder={target?.hosts[0] ?? ""}
          value={draft.host}
          onChange={(host) => set({ host })}
          data={[...(target?.hosts ?? [])]}
          limit={12}
          spellCheck={false}
          data-testid="load-host"
        />
        <NativeSelect
          label={t("method")}
          value={draft.method}
          onChange={({ currentTarget }) => set({ method: currentTarget.value })}
          data={methods}
        />
        <TextInput
          label={t("path")}
          value={draft.path}
          onChange={({ currentTarget }) => set({ path: currentTarget.value })}
          spellCheck={false}
          data-testid="load-path"
        />
      </div>
      <div className={styles.shape}>
        <Amount
          label={t("rate")}
          value={draft.rate}
          max={loadLimits.rate}
          onChange={(rate) => set({ rate })}
          testId="load-rate"
        />
        <Amount
          label={t("duration")}
          value={draft.durationSec}
          max={loadLimits.durationSec}
          onChange={(durationSec) => set({ durationSec })}
          testId="load-duration"
        />
        <Amount
          label={t("connections")}
          value={draft.connections}
          max={loadLimits.connections}
          onChange={(connections) => set({ connections })}
          testId="load-connections"
        />
        <Button type="submit" loading={sending} disabled={busy || !target} data-testid="load-start">
          {t("start")}
        </Button>
      </div>
      <details className={styles.more}>
        <summary>{t("more")}</summary>
        <div className={styles.moreFields}>
          <Amount
            label={t("warm-up")}
            value={draft.warmUpSec}
            min={0}
            max={loadLimits.warmUpSec}
            onChange={(warmUpSec) => set({ warmUpSec })}
          />
          <Amount
            label={t("timeout")}
            value={draft.timeoutMs}
            max={loadLimits.timeoutMs}
            onChange={(timeoutMs) => set({ timeoutMs })}
          />
          <NativeSelect
            label={t("arrivals")}
            value={draft.arrivals}
            onChange={({ currentTarget }) =>
              set({ arrivals: currentTarget.value === "constant" ? "constant" : "poisson" })
            }
            data={[
              { value: "poisson", label: t("poisson") },
              { value: "constant", label: t("constant") },
            ]}
          />
          <NativeSelect
            label={t("protocol")}
            value={draft.protocol}
            onChange={({ currentTarget }) => set({ protocol: currentTarget.value === "http2" ? "http2" : "http1" })}
            data={[
              { value: "http1", label: "HTTP/1.1" },
              { value: "http2", label: "HTTP/2" },
            ]}
          />
          <Textarea
            label={t("also")}
            placeholder="3 GET /productpage"
            value={draft.also}
            onChange={({ currentTarget }) => set({ also: currentTarget.value })}
            autosize
            minRows={2}
            maxRows={8}
            spellCheck={false}
            data-testid="load-also"
          />
          <Amount
            label={t("weight")}
            value={draft.weight}
            max={loadLimits.weight}
            onChange={(weight) => set({ weight })}
          />
          <Textarea
            label={t("headers")}
            placeholder="end-user: jason"
            value={draft.headers}
            onChange={({ currentTarget }) => set({ headers: currentTarget.value })}
            autosize
            minRows={2}
            maxRows={8}
            spellCheck={false}
          />
          <Textarea
            label={t("body")}
            value={draft.body}
            onChange={({ currentTarget }) => set({ body: currentTarget.value })}
            autosize
            minRows={2}
            maxRows={8}
            spellCheck={false}
          />
        </div>
      </details>
      {error && <FieldErrors error={error} />}
    </form>
  );
}

interface AmountProps {
  label: string;
  value: number | string;
  min?: number;
  max: number;
  onChange(value: number | string): void;
  testId?: string;
}

function Amount({ label, value, min = 1, max, onChange, testId }: AmountProps) {
  return (
    <NumberInput
      label={label}
      value={value}
      min={min}
      max={max}
      onChange={onChange}
      hideControls
      data-testid={testId}
    />
  );
}
