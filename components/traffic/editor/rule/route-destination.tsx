"use client";
import { useTranslations } from "use-intl";
import type { Path } from "../../../config/document/yaml-edit.ts";
import { LockButton } from "../../lock-button.tsx";
import type { WeightPart } from "../../rule-parts.ts";
import { WeightInput } from "../../weight-input.tsx";
import { DestinationFields } from "../fields/destination-fields.tsx";
import styles from "../fields/fields.module.css";
import { NumberField } from "../fields/number-field.tsx";
import { RemoveButton } from "../fields/remove-button.tsx";
import { Section } from "../fields/section.tsx";
import { useForm } from "../form-context.ts";
import { ruleId } from "../rule-list.ts";
import { HeaderOperations } from "./header-operations.tsx";

export interface RouteDestinationProps {
  path: Path;
  index: number;
  /** Null: the weights are no percents. */
  parts: readonly WeightPart[] | null;
  onWeights: (parts: WeightPart[]) => void;
  onLock: () => void;
  onRemove: () => void;
}

/** One destination of a rule, with its share and the headers that are changed for it alone. */
export function RouteDestination({ path, index, parts, onWeights, onLock, onRemove }: RouteDestinationProps) {
  const t = useTranslations("form");
  const { disabled } = useForm();
  const part = parts?.[index];
  return (
    <div className={styles.item} data-testid={`destination-${ruleId(path)}-${index}`}>
      <header>
        <b>{part?.version || t("destination", { number: index + 1 })}</b>
        {parts && parts.length > 1 && (
          <WeightInput parts={parts} index={index} onChange={onWeights} disabled={disabled} />
        )}
        {part && !disabled && parts.length > 2 && <LockButton part={part} onToggle={onLock} />}
        <RemoveButton
          label={t("remove", { what: part?.version || t("destination", { number: index + 1 }) })}
          onRemove={onRemove}
        />
      </header>
      <div className={styles.grid}>
        <DestinationFields path={[...path, "destination"]} />
        {!parts && <NumberField path={[...path, "weight"]} label={t("weight")} />}
      </div>
      {path[1] === "http" && (
        <Section
          title={t("headers-here")}
          paths={[[...path, "headers"]]}
          testId={`section-headers-${path[2]}-${index}`}
        >
          <HeaderOperations path={[...path, "headers"]} />
        </Section>
      )}
    </div>
  );
}
