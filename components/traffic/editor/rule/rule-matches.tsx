"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { useForm } from "../form-context.ts";
import { MatchAlternative } from "./match-alternative.tsx";

/** Which requests a rule is for: alternatives, each of conditions that must all hold. */
export function RuleMatches({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const list = [...path, "match"];
  const found = valueAt(object, list);
  const count = Array.isArray(found) ? found.length : 0;
  return (
    <fieldset className={styles.section}>
      <legend>{t("requests")}</legend>
      <div>
        {count === 0 && <p className={styles.note}>{t("every-request")}</p>}
        <ol className={styles.items}>
          {Array.from({ length: count }, (_, index) => (
            <MatchAlternative
              // biome-ignore lint/suspicious/noArrayIndexKey: an alternative is its place
              key={index}
              path={[...list, index]}
              number={index + 1}
              onRemove={() => edit([{ op: "set", path: [...list, index], value: undefined }])}
            />
          ))}
        </ol>
        <div className={styles.adds}>
          <Button
            size="compact-sm"
            onClick={() => edit([{ op: "insert", path: list, index: count, value: { uri: { prefix: "/" } } }])}
            disabled={disabled}
            data-testid={`add-match-${path[2]}`}
          >
            {count === 0 ? t("limit") : t("add-alternative")}
          </Button>
        </div>
      </div>
    </fieldset>
  );
}
