"use client";
import { createContext, useContext } from "react";
import type { MeshObject } from "../../config/document/read-object.ts";
import { type Path, valueAt, type YamlEdit } from "../../config/document/yaml-edit.ts";

export interface FormError {
  /** As errors write it: `spec.http[0].timeout`. */
  path: string;
  text: string;
}

/** What every field of the form reads and writes: the object that the YAML beside it is of. */
export interface Form {
  object: MeshObject;
  edit: (edits: readonly YamlEdit[]) => void;
  /** The YAML can't be read right now: fields show what it last said. */
  disabled: boolean;
  /** What is wrong with a field, by its path. */
  errorAt: (path: Path) => string | undefined;
  /** What is wrong at a path and below it. */
  errorsWithin: (path: Path) => readonly FormError[];
  /** Hosts of the registry, to choose from. */
  hosts: readonly string[];
  /** Subsets of a host as a VirtualService writes it. */
  subsetsOf: (host: string) => readonly string[];
  gateways: readonly string[];
  /** Of the service that is edited. */
  ports: readonly number[];
  namespaces: readonly string[];
}

export const FormContext = createContext<Form | null>(null);

export function useForm(): Form {
  const form = useContext(FormContext);
  if (!form) throw new Error("a field stands outside of a form");
  return form;
}

/** One field's value, and the way to another; undefined takes it away. */
export function useField(path: Path): {
  value: unknown;
  set: (value: unknown) => void;
  error: string | undefined;
  disabled: boolean;
} {
  const form = useForm();
  return {
    value: valueAt(form.object, path),
    set: (value) => form.edit([{ op: "set", path, value }]),
    error: form.errorAt(path),
    disabled: form.disabled,
  };
}
