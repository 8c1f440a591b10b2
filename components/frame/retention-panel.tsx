"use client";
import { Button, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ApiError, RetentionList } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { retentionKey, useRetention } from "../lib/queries.ts";
import { putRetention } from "../lib/writes.ts";
import { formatBytes, quantityText } from "../ui/format.ts";
import { Panel } from "../ui/panel.tsx";
import styles from "./settings-page.module.css";

type Setting = RetentionList["settings"][number];

/** How long each kind of telemetry is kept, and the disk that it takes; what is left empty is at its default. */
export function RetentionPanel() {
  const t = useTranslations("settings.retention");
  const says = useErrorText();
  const client = useQueryClient();
  const id = useId();
  const { data, error } = useRetention();
  const [typed, setTyped] = useState<Record<string, string>>({});
  const [state, setState] = useState<"idle" | "saving" | "saved">("idle");
  const [failure, setFailure] = useState<ApiError>();
  const settings = data?.settings ?? [];
  const textOf = ({ name, set }: Setting) => typed[name] ?? set ?? "";
  const save = async () => {
    setState("saving");
    setFailure(undefined);
    const made = settings.map((setting) => [setting.name, textOf(setting)] as const);
    try {
      client.setQueryData(
        retentionKey,
        await putRetention(Object.fromEntries(made.filter(([, value]) => value !== ""))),
      );
      setTyped({});
      setState("saved");
    } catch (cause) {
      setFailure(toApiError(cause));
      setState("idle");
    }
  };
  const faultOf = (name: string) => {
    const fault = failure?.errors?.find(({ path }) => path === `settings.${name}`);
    return fault && says(fault);
  };
  const changed = settings.some(({ name, set }) => typed[name] !== undefined && typed[name] !== (set ?? ""));
  return (
    <Panel
      title={t("title")}
      hint={t("hint")}
      data-testid="retention"
      actions={
        <Button type="submit" form={id} size="compact-sm" disabled={!changed} loading={state === "saving"}>
          {t("save")}
        </Button>
      }
      footer={
        <span role="status" className="muted">
          {error
            ? says(error)
            : failure && !failure.errors
              ? says(failure)
              : state === "saved" && !changed
                ? t("saved")
                : ""}
        </span>
      }
    >
      <form
        id={id}
        className={styles.lines}
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        {settings.map((setting) => (
          <SettingLine
            key={setting.name}
            setting={setting}
            value={setting.fixed ? setting.value : textOf(setting)}
            fault={faultOf(setting.name)}
            onChange={(value) => setTyped({ ...typed, [setting.name]: value })}
          />
        ))}
      </form>
    </Panel>
  );
}

interface SettingLineProps {
  setting: Setting;
  value: string;
  fault: string | undefined;
  onChange(value: string): void;
}

function SettingLine({ setting: { name, default: usual, disk, fixed }, value, fault, onChange }: SettingLineProps) {
  const t = useTranslations("settings.retention");
  const label = t(`of.${name}` as Parameters<typeof t>[0]);
  const locale = useLocale();
  const size = disk && quantityText(formatBytes(disk.bytes, locale));
  return (
    <div className={styles.line}>
      <span>
        {label}
        <small className="muted">
          {[size && t(disk?.perEdge ? "disk-edge" : "disk", { size }), fixed && t("fixed")].filter(Boolean).join(" · ")}
        </small>
      </span>
      <TextInput
        size="xs"
        w={140}
        aria-label={label}
        value={value}
        placeholder={usual}
        disabled={fixed}
        error={fault}
        onChange={(event) => onChange(event.currentTarget.value)}
        data-testid={`retention-${name}`}
      />
    </div>
  );
}
