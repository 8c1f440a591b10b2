import { parentPort } from "node:worker_threads";
import { YamlLimitError, type YamlLimits } from "../../lib/yaml/read-yaml.ts";
import { parseDocuments } from "./documents.ts";
import { oneValue } from "./one-value.ts";

/** What a thread of its own reads: one text after the other, see `yaml-aside.ts`. */
export type YamlTask =
  | { id: number; kind: "value"; text: string; limits: YamlLimits }
  | { id: number; kind: "documents"; text: string };

export type YamlAnswer = { id: number; value: unknown } | { id: number; error: string; isLimit: boolean };

parentPort?.on("message", (task: YamlTask) => {
  parentPort?.postMessage(answer(task));
});

function answer(task: YamlTask): YamlAnswer {
  try {
    return {
      id: task.id,
      value: task.kind === "documents" ? parseDocuments(task.text) : oneValue(task.text, task.limits),
    };
  } catch (error) {
    return {
      id: task.id,
      error: error instanceof Error ? error.message : String(error),
      isLimit: error instanceof YamlLimitError,
    };
  }
}
