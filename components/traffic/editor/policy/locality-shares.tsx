"use client";
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { NameInput } from "../fields/name-input.tsx";
import { NumberField } from "../fields/number-field.tsx";
import { RemoveButton } from "../fields/remove-button.tsx";
import { useForm } from "../form-context.ts";

/** Localities that calls go to, each with its share; they sum to 100. */
export function LocalityShares({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const [isNew, setNew] = useState(false);
  const found = valueAt(object, path);
  const shares = Object.entries(typeof found === "object" && found !== null ? found : {});
  const sum = shares.reduce((total, [, share]) => total + (typeof share === "number" ? share : 0), 0);
  const names = shares.map(([name]) => name);
  return (
    <div className={styles.map}>
      {names.map((name) => (
        <div key={name} className={styles.entry}>
          <NameInput
            label={t("distribute-to")}
            value={name}
            onCommit={(to) => !names.includes(to) && edit([{ op: "rename", path, from: name, to }])}
            disabled={disabled}
            testId={`locality-name-${name}`}
          />
          <NumberField path={[...path, name]} label={name} hidesLabel min={1} max={100} suffix=" %" />
          <RemoveButton
            label={t("remove", { what: name })}
            onRemove={() => edit([{ op: "set", path: [...path, name], value: undefined }])}
          />
        </div>
      ))}
      {isNew && (
        <div className={styles.entry}>
          <NameInput
            label={t("distribute-to")}
            value=""
            onCommit={(name) => {
              setNew(false);
              if (!names.includes(name)) edit([{ op: "set", path: [...path, name], value: Math.max(1, 100 - sum) }]);
            }}
            disabled={disabled}
            testId="locality-new"
          />
        </div>
      )}
      {sum !== 100 && <p className={styles.warn}>{t("distribute-sum", { sum })}</p>}
      <Button
        size="compact-sm"
        variant="subtle"
        onClick={() => setNew(true)}
        disabled={disabled || isNew}
        data-testid="add-locality-share"
      >
        {t("add", { what: t("distribute-to") })}
      </Button>
    </div>
  );
}
