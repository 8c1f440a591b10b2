"use client";
import { Button, Checkbox, FileButton, NativeSelect, NumberInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { useDesigns } from "../lib/queries.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { designPath } from "../lib/writes.ts";
import { formatDateTime } from "../ui/format.ts";
import { fromLocalInput, toLocalInput } from "../ui/time-range.ts";
import styles from "./history.module.css";
import { type Side, sideText } from "./sides.ts";
import type { MeshPlan } from "./use-mesh-plan.tsx";

export interface SideChoiceProps {
  which: "from" | "to";
  side: Side;
  /** The text of the file, where that is the side. */
  file: string | null;
  newest: number | null;
  onFile: (text: string) => void;
  plan: MeshPlan;
}

const kinds = ["now", "design", "revision", "at", "file"] as const;

/** Which mesh stands on one side, and what can be done with it: taken out as YAML, restored, imported. */
export function SideChoice({ which, side, file, newest, onFile, plan }: SideChoiceProps) {
  const t = useTranslations("history");
  const url = useUrlState();
  const designs = useDesigns().data?.designs ?? [];
  const set = (next: Side) => url.set({ [which]: sideText(next) });
  const choose = (kind: string) => {
    if (kind === "revision") set({ kind, revision: newest ?? 1 });
    else if (kind === "design") set({ kind, design: designs[0]?.name ?? "" });
    else if (kind === "at") set({ kind, at: Math.floor(Date.now() / 1000) * 1000 });
    else set({ kind: kind === "file" ? "file" : "now" });
  };
  return (
    <fieldset className={styles.side} data-testid={`side-${which}`}>
      <legend>{t(`side-${which}`)}</legend>
      <div className={styles.choice}>
        <NativeSelect
          size="xs"
          aria-label={t(`side-${which}`)}
          value={side.kind}
          onChange={(event) => choose(event.currentTarget.value)}
          data={kinds.map((kind) => ({ value: kind, label: t(`side-kind-${kind}`) }))}
        />
        {side.kind === "design" && (
          <NativeSelect
            size="xs"
            aria-label={t("design")}
            value={side.design}
            onChange={(event) => set({ kind: "design", design: event.currentTarget.value })}
            data={withUnknown(side.design, designs)}
          />
        )}
        {side.kind === "revision" && (
          <NumberInput
            size="xs"
            aria-label={t("revision-number")}
            min={0}
            max={newest ?? Number.MAX_SAFE_INTEGER}
            allowDecimal={false}
            value={side.revision}
            onChange={(value) => value !== "" && set({ kind: "revision", revision: Number(value) })}
          />
        )}
        {side.kind === "at" && <TimeInput at={side.at} onChange={(at) => set({ kind: "at", at })} />}
        {side.kind === "file" && <FileChoice file={file} onFile={onFile} />}
      </div>
      <SideActions side={side} file={file} plan={plan} />
    </fieldset>
  );
}

function TimeInput({ at, onChange }: { at: number; onChange: (at: number) => void }) {
  const t = useTranslations("history");
  const [text, setText] = useState(() => toLocalInput(at));
  const read = fromLocalInput(text);
  return (
    <TextInput
      size="xs"
      className={styles.time ?? ""}
      aria-label={t("time")}
      placeholder="2026-01-31 14:00:00"
      spellCheck={false}
      autoComplete="off"
      value={text}
      error={read === null && t("time-incomplete")}
      onChange={({ currentTarget }) => {
        setText(currentTarget.value);
        const typed = fromLocalInput(currentTarget.value);
        if (typed !== null && typed >= 0) onChange(typed);
      }}
      data-testid="side-time"
    />
  );
}

/** One that is gone is what the address names all the same, and the error says so. */
const withUnknown = (name: string, designs: readonly { name: string }[]): string[] => [
  ...new Set([...designs.map((one) => one.name), name]),
];

function FileChoice({ file, onFile }: Pick<SideChoiceProps, "file" | "onFile">) {
  const t = useTranslations("history");
  const [name, setName] = useState<string | null>(null);
  return (
    <FileButton
      accept=".yaml,.yml,.json,application/yaml"
      onChange={(chosen) => {
        if (!chosen) return;
        setName(chosen.name);
        void chosen.text().then(onFile);
      }}
    >
      {(props) => (
        <Button size="compact-sm" {...props}>
          {file !== null && name ? name : t("file-open")}
        </Button>
      )}
    </FileButton>
  );
}

function SideActions({ side, file, plan }: Pick<SideChoiceProps, "side" | "file" | "plan">) {
  const t = useTranslations("history");
  const locale = useLocale();
  const [prune, setPrune] = useState(false);
  const mayWrite = useMay()("operator");
  if (side.kind === "design") {
    return (
      <div className={styles.choice}>
        <Button component="a" size="compact-sm" href={`${designPath(side.design)}?download`} download>
          {t("export")}
        </Button>
        {mayWrite && (
          <Button size="compact-sm" disabled={plan.busy} onClick={() => plan.applyDesign(side.design)}>
            {t("apply-design")}
          </Button>
        )}
      </div>
    );
  }
  if (side.kind === "file") {
    if (!mayWrite) return null;
    return (
      <div className={styles.choice}>
        <Button
          size="compact-sm"
          disabled={file === null || plan.busy}
          onClick={() =>
            file !== null && plan.importText({ yaml: file, prune }, t(prune ? "import-prune-title" : "import-title"))
          }
          data-testid="import-mesh"
        >
          {t("import")}
        </Button>
        <Checkbox
          size="xs"
          label={t("prune")}
          checked={prune}
          onChange={(event) => setPrune(event.currentTarget.checked)}
          data-testid="import-prune"
        />
      </div>
    );
  }
  const query = side.kind === "revision" ? `?revision=${side.revision}` : side.kind === "at" ? `?at=${side.at}` : "";
  return (
    <div className={styles.choice}>
      <Button component="a" size="compact-sm" href={`/api/mesh${query}`} download>
        {t("export")}
      </Button>
      {side.kind !== "now" && mayWrite && (
        <Button
          size="compact-sm"
          disabled={plan.busy}
          onClick={() => {
            const moment =
              side.kind === "revision"
                ? t("revision", { revision: side.revision })
                : formatDateTime(side.at, locale, { seconds: true });
            plan.restore(
              side.kind === "revision" ? { revision: side.revision } : { at: side.at },
              t("restore-title", { moment }),
            );
          }}
          data-testid="restore-side"
        >
          {t("restore")}
        </Button>
      )}
    </div>
  );
}
