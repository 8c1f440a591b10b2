import type { Path } from "../../../config/document/yaml-edit.ts";

/** What every field has. */
export interface FieldProps {
  path: Path;
  label: string;
  /** What holds while nothing is written. */
  placeholder?: string;
  /** Stays in the YAML when it is emptied: the object needs it. */
  required?: boolean;
}

/** For tests and for whoever looks for a field: `http[0].timeout`. */
export const testIdOf = (path: Path): string => `field-${path.slice(1).join(".")}`;
