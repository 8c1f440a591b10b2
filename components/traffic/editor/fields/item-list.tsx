"use client";
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { useForm } from "../form-context.ts";
import styles from "./fields.module.css";
import { RemoveButton } from "./remove-button.tsx";

export interface ItemListProps {
  /** Of the list. */
  path: Path;
  /** What an item is called, where it is removed and, of a card, at its head. */
  nameOf: (index: number) => string;
  /** Fields beneath a head, or a few beside each other. */
  as: "card" | "row";
  testIdOf?: (index: number) => string;
  /** The button for another one; unset: none is offered. */
  add?: { label: string; value: unknown; testId?: string };
  children: (path: Path, index: number) => ReactNode;
}

/** The items of a list, each to be removed, and a button for another one. */
export function ItemList({ path, nameOf, as, testIdOf, add, children }: ItemListProps) {
  const { object, edit, disabled } = useForm();
  const count = lengthOf(valueAt(object, path));
  const remove = (index: number) => (
    <Remove name={nameOf(index)} onRemove={() => edit([{ op: "set", path: [...path, index], value: undefined }])} />
  );
  return (
    <>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an item is its place
        <div key={index} className={as === "card" ? styles.item : styles.entry} data-testid={testIdOf?.(index)}>
          {as === "card" && (
            <header>
              <b>{nameOf(index)}</b>
              {remove(index)}
            </header>
          )}
          {children([...path, index], index)}
          {as === "row" && remove(index)}
        </div>
      ))}
      {add && (
        <div className={styles.adds}>
          <Button
            size="compact-sm"
            disabled={disabled}
            onClick={() => edit([{ op: "insert", path, index: count, value: add.value }])}
            data-testid={add.testId}
          >
            {add.label}
          </Button>
        </div>
      )}
    </>
  );
}

function Remove({ name, onRemove }: { name: string; onRemove: () => void }) {
  const t = useTranslations("form");
  return <RemoveButton label={t("remove", { what: name })} onRemove={onRemove} />;
}

const lengthOf = (value: unknown): number => (Array.isArray(value) ? value.length : 0);
