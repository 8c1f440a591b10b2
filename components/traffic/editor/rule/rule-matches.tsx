"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import styles from "../fields/fields.module.css";
import { useForm } from "../form-context.ts";
import { type RuleListName, ruleId } from "../rule-list.ts";
import { MatchAlternative } from "./match-alternative.tsx";

/** Which requests a rule is for: alternatives, each of conditions that must all hold. */
export function RuleMatches({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object, edit, disabled } = useForm();
  const list = [...path, "match"];
  const kind = path[1] as RuleListName;
  const id = ruleId(path);
  const found = valueAt(object, list);
  const count = Array.isArray(found) ? found.length : 0;
  return (
    <fieldset className={styles.section}>
      <legend>{t(kind === "http" ? "requests" : "connections-of")}</legend>
      <div>
        {count === 0 && <p className={styles.note}>{t(kind === "http" ? "every-request" : "every-connection")}</p>}
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
            onClick={() => edit([{ op: "insert", path: list, index: count, value: beginningOf(kind) }])}
            disabled={disabled}
            data-testid={`add-match-${id}`}
          >
            {count > 0 ? t("add-alternative") : t(kind === "http" ? "limit" : "limit-connections")}
          </Button>
        </div>
      </div>
    </fieldset>
  );
}

function beginningOf(list: RuleListName): object {
  if (list === "http") return { uri: { prefix: "/" } };
  return list === "tls" ? { sniHosts: [""] } : { port: 9000 };
}
