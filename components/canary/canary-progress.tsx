"use client";
import { Button } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { CanaryAction, CanaryFigures, CanaryList, CanaryStatus, CanaryView } from "../../server/contract/index.ts";
import { useServerNow } from "../fault/use-now.ts";
import type { Live } from "../lib/live.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { ConfirmButton } from "../ui/confirm-button.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { formatCountdown, formatMs, quantityText } from "../ui/format.ts";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { Notice } from "../ui/states.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import styles from "./canary.module.css";
import { useCanaryReason } from "./canary-text.ts";
import { useActOnCanary } from "./use-act-on-canary.ts";

export interface CanaryProgressProps {
  canary: CanaryView;
  live: Live<CanaryList>;
}

/** Where it is, both versions side by side, what would stop it, and the hand that may at any time. */
export function CanaryProgress({ canary, live }: CanaryProgressProps) {
  const t = useTranslations("canary");
  const { status } = canary;
  if (!status) return <p className={styles.idle}>{t("pending")}</p>;
  return (
    <div className={styles.stack} data-phase={status.phase} data-testid="canary-progress">
      <Where canary={{ ...canary, status }} live={live} />
      <Steps canary={canary} status={status} />
      <Versions canary={canary} status={status} />
      <Thresholds canary={canary} />
      {(status.phase === "Progressing" || status.phase === "Paused") && <Buttons canary={canary} status={status} />}
    </div>
  );
}

function Where({ canary, live }: { canary: CanaryView & { status: CanaryStatus }; live: Live<CanaryList> }) {
  const t = useTranslations("canary");
  const reason = useCanaryReason();
  const now = useServerNow(live);
  const { status, steps } = canary;
  const leftMs = Date.parse(status.since) + (steps[status.step - 1]?.holdMs ?? 0) - now;
  const waiting = canary.live?.waiting;
  // Gone back by itself is trouble; gone back because somebody said so is not.
  const tone = status.reason === "Worse" ? "bad" : "warn";
  const isBad = tone === "bad" || status.phase === "Pending" || status.phase === "Paused";
  const text = (
    <>
      <b>{t(`phase-${status.phase}`)}</b> {reason(canary)}
    </>
  );
  return (
    <>
      {isBad ? <Notice tone={tone}>{text}</Notice> : <p>{text}</p>}
      {status.phase === "Progressing" && (
        <p className={styles.left} data-testid="canary-left">
          {waiting === "signals"
            ? t("waits-signals", { why: canary.live?.why ?? "" })
            : waiting === "requests"
              ? t("waits-requests", { count: canary.thresholds.minRequests })
              : t("left", { time: formatCountdown(leftMs) })}
        </p>
      )}
    </>
  );
}

function Steps({ canary: { steps, to }, status }: { canary: CanaryView; status: CanaryStatus }) {
  const t = useTranslations("canary");
  return (
    <ol className={styles.steps} aria-label={t("steps")}>
      {steps.map(({ weight, holdMs }, index) => {
        const isDone = status.phase === "Succeeded" || index + 1 < status.step;
        const isNow = index + 1 === status.step && (status.phase === "Progressing" || status.phase === "Paused");
        const isEnd = index + 1 === status.step && status.phase === "RolledBack";
        return (
          <li
            key={weight}
            data-state={
              isDone ? "done" : isNow ? "now" : isEnd ? (status.reason === "Worse" ? "worse" : "ended") : "next"
            }
            {...(isNow && { "aria-current": "step" as const })}
          >
            {t("step-short", { version: to, weight, time: formatCountdown(holdMs) })}
          </li>
        );
      })}
    </ol>
  );
}

interface Row {
  key: "from" | "to";
  version: string;
  weight: number;
  figures: CanaryFigures | undefined;
}

function Versions({ canary: { live }, status }: { canary: CanaryView; status: CanaryStatus }) {
  const t = useTranslations("canary");
  const observed = live?.observed ?? status.observed;
  const rows = (["from", "to"] as const).map(
    (key): Row => ({
      key,
      version: status[key].version,
      weight: status.weights[status[key].subset] ?? 0,
      figures: observed?.[key],
    }),
  );
  const isWorse = ({ key }: Row, by: "success" | "latency") =>
    key === "to" && status.reason === "Worse" && status.fault?.by.startsWith(by);
  const columns: Column<Row>[] = [
    { key: "version", header: t("version"), phone: "title", cell: ({ version }) => <VersionChip version={version} /> },
    { key: "weight", header: t("weight"), align: "right", cell: ({ weight }) => `${weight} %` },
    { key: "requests", header: t("requests"), align: "right", cell: ({ figures }) => figures?.requests ?? "–" },
    {
      key: "success",
      header: t("success"),
      align: "right",
      cell: (row) => (
        <NumberWithUnit
          value={row.figures?.successRate == null ? null : row.figures.successRate / 100}
          kind="share"
          tone={isWorse(row, "success") ? "bad" : "plain"}
        />
      ),
    },
    {
      key: "p95",
      header: t("p95"),
      align: "right",
      cell: (row) => (
        <NumberWithUnit
          value={row.figures?.latencyMsP95 ?? null}
          kind="ms"
          tone={isWorse(row, "latency") ? "bad" : "plain"}
        />
      ),
    },
  ];
  return (
    <DataTable
      caption={t("side-by-side")}
      columns={columns}
      rows={rows}
      rowKey={({ key }) => key}
      rowProps={({ version }) => ({ "data-version": version })}
    />
  );
}

function Thresholds({ canary: { thresholds, onFailure } }: { canary: CanaryView }) {
  const t = useTranslations("canary");
  const locale = useLocale();
  const { minRequests, successMin, successDrop, latencyMaxMs, latencyRatio } = thresholds;
  const limits = [
    successMin !== null && t("limit-success-min", { value: successMin }),
    successDrop !== null && t("limit-success-drop", { value: successDrop }),
    latencyMaxMs !== null && t("limit-latency-max", { value: quantityText(formatMs(latencyMaxMs, locale)) }),
    latencyRatio !== null && t("limit-latency-ratio", { value: latencyRatio }),
  ].filter((one) => one !== false);
  return (
    <div className={styles.limits} data-testid="canary-limits">
      <span>{t(onFailure === "Pause" ? "stops-if" : "back-if")}</span>
      <ul>
        {limits.map((limit) => (
          <li key={limit}>{limit}</li>
        ))}
      </ul>
      <span>{t("limit-requests", { count: minRequests })}</span>
    </div>
  );
}

function Buttons({ canary, status }: { canary: CanaryView; status: CanaryStatus }) {
  const t = useTranslations("canary");
  const actOn = useActOnCanary();
  const [busy, setBusy] = useState<CanaryAction | null>(null);
  const may = useMay()("operator", canary.service.namespace);
  const promote = useRef<HTMLButtonElement>(null);
  const url = useUrlState();
  const isAsked = url.get("canary") === "promote";
  // Once: whoever came to promote it may turn to something else.
  useEffect(() => {
    if (!isAsked) return;
    promote.current?.scrollIntoView({ block: "center" });
    promote.current?.focus({ preventScroll: true });
    url.set({ canary: null });
  }, [isAsked, url.set]);
  const act = async (action: CanaryAction) => {
    setBusy(action);
    await actOn(canary, action);
    setBusy(null);
  };
  if (!may) return null;
  const toggle = status.phase === "Paused" ? "resume" : "pause";
  return (
    <div className={styles.buttons}>
      <Button onClick={() => void act(toggle)} loading={busy === toggle} data-testid={`canary-${toggle}`}>
        {t(toggle)}
      </Button>
      <ConfirmButton
        onConfirm={() => void act("promote")}
        confirm={t("promote-confirm", { version: canary.to })}
        loading={busy === "promote"}
        ref={promote}
        data-testid="canary-promote"
      >
        {t("promote")}
      </ConfirmButton>
      {/* One press: what hurts must end at once. */}
      <Button onClick={() => void act("abort")} loading={busy === "abort"} color="red" data-testid="canary-abort">
        {t("abort")}
      </Button>
    </div>
  );
}
