"use client";
import { Button } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { deadShares, type Routing, type ServiceListItem } from "../../../server/contract/index.ts";
import type { ChangeView } from "../../config/change-views.tsx";
import type { ConfigDocument, ObjectKey } from "../../config/config-queries.ts";
import { type MeshObject, readObject } from "../../config/document/read-object.ts";
import { ConflictMerge } from "../../config/merge/conflict-merge.tsx";
import { ConflictNote } from "../../config/merge/conflict-note.tsx";
import { SafetyPanel } from "../../config/safety-panel.tsx";
import { useApply } from "../../config/use-apply.ts";
import type { Settled } from "../../lib/api.ts";
import { useLeaveGuard } from "../../lib/leave-guard.ts";
import { useMay } from "../../lib/session.tsx";
import { useUrlState } from "../../lib/url-state.ts";
import { LiveContent } from "../../list/live-content.tsx";
import { PushCard } from "../push-card.tsx";
import styles from "./editor.module.css";
import { EditorSkeleton } from "./editor-skeleton.tsx";
import { hostIn } from "./host-in.ts";
import { ObjectBar } from "./object-bar.tsx";
import { ObjectForm } from "./object-form.tsx";
import { ObjectYaml } from "./object-yaml.tsx";
import { type TemplateService, templatesFor, versionsOf } from "./templates.ts";
import { type ServiceObjects, useServiceObjects } from "./use-service-objects.ts";
import { useTemplates } from "./use-templates.ts";
import { keyText, useWorkbench, type WorkObject } from "./use-workbench.ts";

export interface TrafficEditorProps {
  /** `name` is the resource's. */
  service: { namespace: string; name: string };
  routing: Routing;
  item: ServiceListItem | undefined;
  services: readonly ServiceListItem[];
  /** What the server has read for the first paint; unset: it was not asked. */
  objects: Settled<ServiceObjects> | undefined;
  onClose: () => void;
}

/** All that rules a service's traffic, form and YAML side by side; several objects are changed as one. */
export function TrafficEditor({ objects, ...props }: TrafficEditorProps) {
  const t = useTranslations("traffic");
  const live = useServiceObjects(props.service.namespace, props.routing.hostname, objects);
  return (
    <LiveContent live={live} unreadable={t("unreadable")} skeleton={<EditorSkeleton />}>
      {({ objects: documents, gateways }) => <Editor {...props} documents={documents} gateways={gateways} />}
    </LiveContent>
  );
}

type EditorProps = Omit<TrafficEditorProps, "objects"> & {
  documents: readonly ConfigDocument[];
  gateways: readonly string[];
};

function Editor({ service, routing, item, services, documents, gateways, onClose }: EditorProps) {
  const t = useTranslations("form");
  const url = useUrlState();
  const bench = useWorkbench(documents);
  const client = useQueryClient();
  const may = useMay()("operator", service.namespace);
  const [isSettling, setSettling] = useState(false);
  const [view, setView] = useState<ChangeView>("yaml");
  const state = useApply(bench.application, { envoy: view === "envoy" });
  const dirty = bench.changed.length > 0;
  useLeaveGuard(dirty, t("leave", { name: service.name }));
  const asked = url.get("edit");
  const selected = bench.objects.find((one) => keyText(one) === asked) ?? bench.objects[0];
  const select = (key: ObjectKey) => url.set({ edit: keyText(key) });
  const ruling = routing.virtualService && { kind: "VirtualService", ...routing.virtualService };
  const text = ruling && bench.objects.find((one) => keyText(one) === keyText(ruling))?.text;
  const read = text ? readObject(text) : null;
  const ruled = read?.ok ? read.object : undefined;
  const apply = useTemplates(
    bench,
    [selected, ruling],
    templateService(service, routing, item, ruled),
    select,
    (namespace) => hostIn(namespace, service, routing.hostname),
  );
  const overtaken = bench.changed.find((one) => one.overtaken && !state.busy && !isSettling);
  const write = async () => {
    // What was written once is not written again while it is still a draft.
    if (!dirty || isSettling || state.error || overtaken) return;
    setSettling(true);
    // What was drafted stands until what is stored is read again: nothing jumps back meanwhile.
    if (await state.apply()) {
      await client.refetchQueries({ queryKey: ["objects"] });
      bench.forgetAll();
    }
    setSettling(false);
  };
  return (
    <section aria-label={t("title")} className={styles.editor} data-testid="traffic-editor">
      <ObjectBar
        bench={bench}
        selected={selected}
        onSelect={select}
        templates={templatesFor(routing.layer ?? "http")}
        onTemplate={apply}
        may={may}
      >
        <Button size="compact-sm" onClick={onClose} data-testid="editor-close">
          {t("close")}
        </Button>
      </ObjectBar>
      {overtaken && <Overtaken object={overtaken} bench={bench} />}
      {selected ? (
        <div className={styles.grid}>
          <ObjectForm
            key={keyText(selected)}
            object={selected}
            bench={bench}
            state={state}
            service={service}
            routing={routing}
            services={services}
            gateways={gateways}
          />
          <div className={styles.column}>
            <ObjectYaml
              object={selected}
              bench={bench}
              state={state}
              onApply={() => (state.plan === null || deadShares(state.plan).length === 0) && void write()}
            />
            {(may || dirty) && (
              <SafetyPanel
                dirty={dirty}
                state={state}
                onApply={() => void write()}
                onDiscard={bench.forgetAll}
                typed={bench.changed.some(({ text, stored }) => text !== stored)}
                view={view}
                onView={setView}
                {...(overtaken && { conflict: <ConflictNote /> })}
              />
            )}
            {state.revision !== null && <PushCard revision={state.revision} />}
          </div>
        </div>
      ) : (
        <p className={styles.none}>{t("nothing")}</p>
      )}
    </section>
  );
}

function Overtaken({ object, bench }: { object: WorkObject; bench: ReturnType<typeof useWorkbench> }) {
  return (
    <ConflictMerge
      key={`${keyText(object)}/${object.storedVersion}`}
      object={object}
      base={object.draft?.base ?? ""}
      mine={object.text}
      theirs={object.stored ?? ""}
      onMerged={(text) => bench.rebase(object, text)}
      onTheirs={() => bench.forget(object)}
    />
  );
}

function templateService(
  service: TrafficEditorProps["service"],
  routing: Routing,
  item: ServiceListItem | undefined,
  ruled: MeshObject | undefined,
): TemplateService {
  return {
    name: service.name.replaceAll(/[^a-z0-9-]+/g, "-"),
    namespace: service.namespace,
    host: hostIn(service.namespace, service, routing.hostname),
    ...versionsOf(ruled, routing),
    port: item?.ports[0]?.port ?? 80,
    layer: routing.layer ?? "http",
  };
}
