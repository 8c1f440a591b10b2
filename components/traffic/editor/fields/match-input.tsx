"use client";
import { Select, TextInput } from "@mantine/core";
import { useTranslations } from "use-intl";
import { useField, useForm } from "../form-context.ts";
import { type FieldProps, testIdOf } from "./field-props.ts";
import styles from "./fields.module.css";
import { type MatchWay, matchWays, readMatch, writeMatch } from "./string-match.ts";

/** How a text is compared, and with what; `presence`: it may also be asked only to be there. */
export function MatchInput({ path, label, presence = false }: FieldProps & { presence?: boolean }) {
  const t = useTranslations("form");
  const { errorAt } = useForm();
  const { value, set, error, disabled } = useField(path);
  const match = readMatch(value);
  const wrong = error ?? errorAt([...path, match.way]);
  const ways: readonly MatchWay[] = presence ? [...matchWays, "present"] : matchWays;
  return (
    <div className={styles.match}>
      <Select
        aria-label={t("way-of", { field: label })}
        data={ways.map((way) => ({ value: way, label: t(`way-${way}`) }))}
        value={match.way}
        onChange={(way) => set(writeMatch({ ...match, way: (way ?? match.way) as MatchWay }))}
        allowDeselect={false}
        error={match.way === "present" && wrong}
        disabled={disabled}
        data-testid={`${testIdOf(path)}-way`}
      />
      {match.way !== "present" && (
        <TextInput
          aria-label={t("value-of", { field: label })}
          value={match.value}
          onChange={({ currentTarget }) => set(writeMatch({ ...match, value: currentTarget.value }))}
          error={wrong}
          disabled={disabled}
          spellCheck={false}
          autoComplete="off"
          data-testid={testIdOf(path)}
        />
      )}
    </div>
  );
}
