"use client";
import { Button, FileButton, Modal, NativeSelect, Textarea, TextInput } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { DesignSummary } from "../../server/contract/index.ts";
import { useObjects } from "../config/config-queries.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { useSubmit } from "../lib/use-submit.ts";
import { keepDesign } from "../lib/writes.ts";
import styles from "./designs.module.css";

export interface KeepDialogProps {
  /** The one in whose place it is kept; null: a new one. */
  over: DesignSummary | null;
  onClose: () => void;
  onKept: () => void;
}

/** Keeps the mesh, a namespace of it or a file under a name. */
export function KeepDialog({ over, onClose, onKept }: KeepDialogProps) {
  const t = useTranslations("designs");
  const common = useTranslations("ui");
  const client = useQueryClient();
  const objects = useObjects().data?.objects ?? [];
  const namespaces = [...new Set(objects.map(({ namespace }) => namespace).filter(Boolean))].toSorted();
  const [of, setOf] = useState("mesh");
  const [file, setFile] = useState<{ name: string; text: string } | null>(null);
  const { error, busy, submit } = useSubmit();
  const keep = async (given: FormData) => {
    const text = (name: string) => String(given.get(name) ?? "").trim();
    await keepDesign(over?.name ?? text("name"), {
      description: text("description"),
      of: of === "file" && file ? { yaml: file.text } : { now: true },
      ...(of === "namespace" && { namespace: text("namespace") }),
      replace: over !== null && !over.ready,
    });
    void client.invalidateQueries();
    onKept();
    onClose();
  };
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    void submit(() => keep(given));
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={over ? t("replace-title", { name: over.name }) : t("keep-title")}
      centered
      closeButtonProps={{ "aria-label": common("close") }}
    >
      <form className={styles.form} onSubmit={onSubmit} data-testid="keep-design-form">
        {!over && (
          <TextInput
            name="name"
            label={t("name")}
            description={t("name-hint")}
            required
            withAsterisk={false}
            maxLength={253}
            pattern="[a-z0-9]([\-a-z0-9.]*[a-z0-9])?"
            data-autofocus
          />
        )}
        <NativeSelect
          label={t("of")}
          value={of}
          onChange={(event) => setOf(event.currentTarget.value)}
          data={(["mesh", "namespace", "file"] as const).map((value) => ({ value, label: t(`of-${value}`) }))}
        />
        {of === "namespace" && <NativeSelect name="namespace" label={t("namespace")} data={namespaces} />}
        {of === "file" && (
          <FileButton
            accept=".yaml,.yml,.json,application/yaml"
            onChange={(chosen) => chosen && void chosen.text().then((text) => setFile({ name: chosen.name, text }))}
          >
            {(props) => (
              <Button variant="default" {...props}>
                {file?.name ?? t("choose-file")}
              </Button>
            )}
          </FileButton>
        )}
        <Textarea
          name="description"
          label={t("description")}
          defaultValue={over && !over.ready ? over.description : ""}
          maxLength={1000}
          autosize
          minRows={2}
          maxRows={6}
        />
        <p className="muted">{t("left-out")}</p>
        {error && <FieldErrors error={error} />}
        <Button
          type="submit"
          className={styles.submit ?? ""}
          loading={busy}
          disabled={(of === "file" && !file) || (of === "namespace" && namespaces.length === 0)}
          data-testid="keep-design-save"
        >
          {t("keep-it")}
        </Button>
      </form>
    </Modal>
  );
}
