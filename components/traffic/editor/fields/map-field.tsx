"use client";
import { Button, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { valueAt } from "../../../config/document/yaml-edit.ts";
import { useForm } from "../form-context.ts";
import { type FieldProps, testIdOf } from "./field-props.ts";
import styles from "./fields.module.css";
import { MatchInput } from "./match-input.tsx";
import { NameInput } from "./name-input.tsx";
import { RemoveButton } from "./remove-button.tsx";

export interface MapFieldProps extends FieldProps {
  /** What stands beside each name: a text, or what a text is compared with. */
  values: "text" | "match";
  /** What a name is: `header`. */
  nameLabel: string;
}

/** Names with a value each: headers, labels, parameters. */
export function MapField({ path, label, values, nameLabel }: MapFieldProps) {
  const t = useTranslations("form");
  const { object, edit, disabled, errorAt } = useForm();
  const [isNew, setNew] = useState(false);
  const found = valueAt(object, path);
  const names = Object.keys(typeof found === "object" && found !== null ? found : {});
  const id = testIdOf(path);
  const add = (name: string) => {
    setNew(false);
    if (!names.includes(name))
      edit([{ op: "set", path: [...path, name], value: values === "match" ? { exact: "" } : "" }]);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would bring a form's look
    <div className={styles.map} role="group" aria-label={label}>
      <span className={styles.label}>{label}</span>
      {names.map((name) => (
        <div key={name} className={styles.entry}>
          <NameInput
            label={nameLabel}
            value={name}
            onCommit={(to) => !names.includes(to) && edit([{ op: "rename", path, from: name, to }])}
            disabled={disabled}
            testId={`${id}-name`}
          />
          {values === "match" ? (
            <MatchInput path={[...path, name]} label={name} presence />
          ) : (
            <TextInput
              aria-label={t("value-of", { field: name })}
              value={String(valueAt(object, [...path, name]) ?? "")}
              onChange={({ currentTarget }) => edit([{ op: "set", path: [...path, name], value: currentTarget.value }])}
              error={errorAt([...path, name])}
              disabled={disabled}
              data-testid={`${id}.${name}`}
            />
          )}
          <RemoveButton
            label={t("remove", { what: name })}
            onRemove={() => edit([{ op: "set", path: [...path, name], value: undefined }])}
          />
        </div>
      ))}
      {isNew && (
        <div className={styles.entry}>
          <NameInput label={nameLabel} value="" onCommit={add} disabled={disabled} testId={`${id}-new-name`} />
        </div>
      )}
      <Button
        size="compact-sm"
        variant="subtle"
        onClick={() => setNew(true)}
        disabled={disabled || isNew}
        data-testid={`${id}-add`}
      >
        {t("add", { what: nameLabel })}
      </Button>
    </div>
  );
}
