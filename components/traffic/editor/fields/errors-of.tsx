"use client";
import { formatPath } from "../../../../server/wire/field-path.ts";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { useForm } from "../form-context.ts";
import styles from "./fields.module.css";

/** What is wrong with the whole of a part rather than with one of its fields, which say it themselves; `folded`: nothing of it is in sight, so all of it. */
export function ErrorsOf({ path, folded = false }: { path: Path; folded?: boolean }) {
  const { object, errorsWithin } = useForm();
  const own = formatPath(path);
  const errors = errorsWithin(path).filter((error) => folded || (error.path === own && isPart(valueAt(object, path))));
  if (errors.length === 0) return null;
  return (
    <ul className={styles.errors} data-testid={`errors-${path.slice(1).join(".")}`}>
      {errors.map((error) => (
        <li key={`${error.path} ${error.text}`}>
          {error.path !== own && <code>{error.path.slice(own.length).replace(/^\./, "")}</code>} {error.text}
        </li>
      ))}
    </ul>
  );
}

const isPart = (value: unknown): boolean => typeof value === "object" && value !== null;
