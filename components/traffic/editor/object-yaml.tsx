"use client";
import { useTranslations } from "use-intl";
import { useTextMarks } from "../../config/text-marks.ts";
import type { ApplyState } from "../../config/use-apply.ts";
import { YamlEditor } from "../../config/yaml-editor.tsx";
import { useMay } from "../../lib/session.tsx";
import { Panel } from "../../ui/panel.tsx";
import { textIndex } from "./text-index.ts";
import { keyText, type Workbench, type WorkObject } from "./use-workbench.ts";

export interface ObjectYamlProps {
  object: WorkObject;
  bench: Workbench;
  state: ApplyState;
  onApply: () => void;
}

/** The same object as YAML. */
export function ObjectYaml({ object, bench, state, onApply }: ObjectYamlProps) {
  const t = useTranslations("config");
  const may = useMay()("operator", object.namespace);
  const marks = useTextMarks(state, { index: textIndex(bench, object), kind: object.kind, name: object.name });
  return (
    <Panel title="YAML" hint={`${object.kind} ${object.name}`} flush>
      <YamlEditor
        key={keyText(object)}
        value={object.text}
        {...(may && { onChange: (text: string) => bench.write(object, text) })}
        label={t("yaml-of", { object: object.kind })}
        marks={marks}
        onApply={onApply}
      />
    </Panel>
  );
}
