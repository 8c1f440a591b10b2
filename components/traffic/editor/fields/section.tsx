"use client";
import { type ReactNode, useEffect, useId, useState } from "react";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { useForm } from "../form-context.ts";
import { ErrorsOf } from "./errors-of.tsx";
import styles from "./section.module.css";

export interface SectionProps {
  title: string;
  /** It is open at first when one of these is set. */
  paths: readonly Path[];
  /** In a few words, beside the title. */
  summary?: ReactNode;
  children: ReactNode;
  testId: string;
}

/** A part of the form that is folded away at first while nothing of it is set. */
export function Section({ title, paths, summary, children, testId }: SectionProps) {
  const { object } = useForm();
  const id = useId();
  const isSet = paths.some((path) => valueAt(object, path) !== undefined);
  const [isOpen, setOpen] = useState(isSet);
  // What a template or the YAML puts into it is to be seen.
  useEffect(() => {
    if (isSet) setOpen(true);
  }, [isSet]);
  return (
    <section className={styles.section}>
      <h3>
        <button
          type="button"
          aria-expanded={isOpen}
          {...(isOpen && { "aria-controls": id })}
          onClick={() => setOpen(!isOpen)}
          data-set={isSet || undefined}
          data-testid={testId}
        >
          {title}
          {summary && <span>{summary}</span>}
        </button>
      </h3>
      {!isOpen && paths.map((path) => <ErrorsOf key={path.join(".")} path={path} folded />)}
      {isOpen && (
        <div id={id} className={styles.body}>
          {paths.map((path) => (
            <ErrorsOf key={path.join(".")} path={path} />
          ))}
          {children}
        </div>
      )}
    </section>
  );
}
