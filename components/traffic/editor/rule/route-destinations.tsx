"use client";
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { type Path, valueAt, type YamlEdit } from "../../../config/document/yaml-edit.ts";
import type { WeightPart } from "../../rule-parts.ts";
import { WeightSplitBar } from "../../split-bar.tsx";
import styles from "../fields/fields.module.css";
import { useForm } from "../form-context.ts";
import { ruleId } from "../rule-list.ts";
import { asPercents, readDestinations, sharesOf } from "./destination-weights.ts";
import { RouteDestination } from "./route-destination.tsx";

/** Where a rule's requests go, and in which shares. */
export function RouteDestinations({ path, number }: { path: Path; number: number }) {
  const t = useTranslations("form");
  const { object, edit, disabled, errorAt } = useForm();
  const [locked, setLocked] = useState<ReadonlySet<number>>(new Set());
  const list = [...path, "route"];
  const destinations = readDestinations(valueAt(object, list));
  const { parts, sum } = sharesOf(destinations, locked);
  const weigh = (weights: readonly number[]) =>
    edit(weights.map((weight, index): YamlEdit => ({ op: "set", path: [...list, index, "weight"], value: weight })));
  const onChange = (next: readonly WeightPart[]) => weigh(next.map(({ weight }) => weight));
  const add = () => {
    const host = destinations.at(-1)?.host ?? "";
    const single = destinations.length === 1 && destinations[0]?.weight === undefined;
    edit([
      ...(single ? [{ op: "set" as const, path: [...list, 0, "weight"], value: 100 }] : []),
      {
        op: "insert",
        path: list,
        index: destinations.length,
        value: { destination: { host }, ...(destinations.length > 0 && { weight: 0 }) },
      },
    ]);
  };
  const error = errorAt(list);
  return (
    <div className={styles.items}>
      {parts && parts.length > 1 && (
        <WeightSplitBar parts={parts} onChange={onChange} label={t("shares-of", { number })} readOnly={disabled} />
      )}
      {destinations.length > 1 && !parts && (
        <p className={styles.note}>
          {t("sum", { sum })}{" "}
          <Button
            size="compact-sm"
            onClick={() => weigh(asPercents(destinations))}
            disabled={disabled}
            data-testid="as-percents"
          >
            {t("as-percents")}
          </Button>
        </p>
      )}
      {error && <p className={styles.warn}>{error}</p>}
      {destinations.map((_, index) => (
        <RouteDestination
          // biome-ignore lint/suspicious/noArrayIndexKey: a destination is its place
          key={index}
          path={[...list, index]}
          index={index}
          parts={parts}
          onWeights={onChange}
          onLock={() => setLocked(toggled(locked, index))}
          onRemove={() => {
            setLocked(new Set());
            edit([{ op: "set", path: [...list, index], value: undefined }]);
          }}
        />
      ))}
      <div className={styles.adds}>
        <Button size="compact-sm" onClick={add} disabled={disabled} data-testid={`add-destination-${ruleId(path)}`}>
          {t("add-destination")}
        </Button>
      </div>
    </div>
  );
}

function toggled(set: ReadonlySet<number>, index: number): ReadonlySet<number> {
  const next = new Set(set);
  if (!next.delete(index)) next.add(index);
  return next;
}
