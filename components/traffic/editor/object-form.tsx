"use client";
import { Button } from "@mantine/core";
import { useRef, useState } from "react";
import { useTranslations } from "use-intl";
import type { Routing, ServiceListItem } from "../../../server/contract/index.ts";
import { formatPath } from "../../../server/wire/field-path.ts";
import { EditError, editText } from "../../config/document/edit-text.ts";
import { type MeshObject, readObject } from "../../config/document/read-object.ts";
import type { YamlEdit } from "../../config/document/yaml-edit.ts";
import type { ApplyState } from "../../config/use-apply.ts";
import { useErrorText } from "../../lib/error-text.ts";
import { useMay } from "../../lib/session.tsx";
import { Panel } from "../../ui/panel.tsx";
import { Notice } from "../../ui/states.tsx";
import { DestinationRuleForm } from "./destination-rule-form.tsx";
import styles from "./editor.module.css";
import { type Form, FormContext } from "./form-context.ts";
import { hostIn } from "./host-in.ts";
import { CircuitsContext } from "./policy/use-circuits.ts";
import { RateLimitForm } from "./rate-limit-form.tsx";
import { textIndex } from "./text-index.ts";
import { useHosts } from "./use-hosts.ts";
import type { Workbench, WorkObject } from "./use-workbench.ts";
import { VirtualServiceForm } from "./virtual-service-form.tsx";

export interface ObjectFormProps {
  object: WorkObject;
  bench: Workbench;
  state: ApplyState;
  service: { namespace: string; name: string };
  routing: Routing;
  services: readonly ServiceListItem[];
  gateways: readonly string[];
}

/** The form of one object: it reads the YAML's text, and writes into it. */
export function ObjectForm({ object, bench, state, service, routing, services, gateways }: ObjectFormProps) {
  const t = useTranslations("form");
  const textOf = useErrorText();
  const may = useMay()("operator", object.namespace);
  const [failure, setFailure] = useState<string | null>(null);
  const read = readObject(object.text);
  // While the YAML is half-written the form shows what it last said.
  const last = useRef<MeshObject>({});
  if (read.ok) last.current = read.object;
  const isRemoved = object.draft?.removed === true;
  const index = textIndex(bench, object);
  const { hosts, subsetsOf } = useHosts(services, object.namespace, bench);
  const edit = (edits: readonly YamlEdit[]) => {
    try {
      setFailure(null);
      bench.write(object, editText(object.text, edits));
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      setFailure(error.message);
    }
  };
  const form: Form = {
    object: last.current,
    edit,
    disabled: !may || !read.ok || isRemoved || state.busy,
    errorAt: (path) => {
      const wanted = formatPath(path);
      const found = state.errors.find((error) => error.text === index && error.path === wanted);
      return found && textOf(found);
    },
    errorsWithin: (path) => {
      const wanted = formatPath(path);
      return state.errors
        .filter((error) => error.text === index && isWithin(error.path, wanted))
        .map((error) => ({ path: error.path, text: textOf(error) }));
    },
    hosts,
    subsetsOf,
    gateways,
    ports: services.find(({ hostname }) => hostname === routing.hostname)?.ports.map(({ port }) => port) ?? [],
    namespaces: [...new Set(services.map(({ namespace }) => namespace))],
  };
  const host = hostIn(object.namespace, service, routing.hostname);
  return (
    <FormContext value={form}>
      <CircuitsContext value={{ namespace: service.namespace, name: routing.hostname }}>
        <Panel
          title={object.kind}
          hint={`${object.namespace}/${object.name}`}
          actions={
            may && (
              <Button
                size="compact-sm"
                onClick={() => (object.stored === null ? bench.forget(object) : bench.remove(object, !isRemoved))}
                data-testid="remove-object"
              >
                {t(isRemoved ? "keep-object" : "remove-object")}
              </Button>
            )
          }
          data-testid="object-form"
        >
          {!read.ok && <Notice tone="warn">{t("unreadable-yaml")}</Notice>}
          {failure && <Notice tone="warn">{failure}</Notice>}
          {isRemoved ? (
            <p className={styles.none}>{t("will-go")}</p>
          ) : (
            <FormOf kind={object.kind} host={host} routing={routing} />
          )}
        </Panel>
      </CircuitsContext>
    </FormContext>
  );
}

const isWithin = (path: string, root: string): boolean =>
  path === root || path.startsWith(`${root}.`) || path.startsWith(`${root}[`);

function FormOf({ kind, host, routing }: { kind: string; host: string; routing: Routing }) {
  const t = useTranslations("form");
  switch (kind) {
    case "VirtualService":
      return <VirtualServiceForm host={host} />;
    case "DestinationRule":
      return <DestinationRuleForm versions={routing.versions.map(({ version }) => version)} />;
    case "RateLimit":
      return <RateLimitForm hostname={routing.hostname} />;
    default:
      return <p className={styles.none}>{t("no-form", { kind })}</p>;
  }
}
