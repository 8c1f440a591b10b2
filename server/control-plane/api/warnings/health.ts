import { healthAnnotations } from "../../../config/health-annotations.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { Finding } from "./warning.ts";

/** What annotations say of health that can't be followed. */
export function* doubtfulHealth({ metadata }: ConfigObject): Generator<Finding> {
  for (const { annotation, ...what } of healthAnnotations(metadata.annotations).problems)
    yield { path: `metadata.annotations[${JSON.stringify(annotation)}]`, ...what };
}
