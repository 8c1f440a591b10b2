import { stringify } from "yaml";

/** YAML as people keep and apply it. kubectl reads YAML 1.1, to which `yes`, `off` and `12:30` are no texts: they are quoted. */
export const writeYaml = (value: unknown): string =>
  stringify(value, { lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" });
