"use client";
import { useTranslations } from "use-intl";
import { type Path, valueAt } from "../../../config/document/yaml-edit.ts";
import { objectHref } from "../../../lib/links.ts";
import { ObjectLink } from "../../../ui/object-link.tsx";
import styles from "../fields/fields.module.css";
import { OtherFields } from "../fields/other-fields.tsx";
import { TextField } from "../fields/text-field.tsx";
import { useForm } from "../form-context.ts";

/** Which VirtualService without hosts has the rules for these requests. */
export function DelegatePart({ path }: { path: Path }) {
  const t = useTranslations("form");
  const { object } = useForm();
  const delegate = [...path, "delegate"];
  const { name, namespace } = (valueAt(object, delegate) ?? {}) as { name?: unknown; namespace?: unknown };
  const own = object.metadata?.namespace ?? "default";
  const key = { namespace: String(namespace || own), name: String(name ?? "") };
  return (
    <>
      <div className={styles.grid}>
        <TextField path={[...delegate, "name"]} label={t("delegate-name")} required />
        <TextField path={[...delegate, "namespace"]} label={t("delegate-namespace")} placeholder={own} />
      </div>
      <p className="muted">
        {t("delegate-note")}{" "}
        {key.name !== "" && (
          <ObjectLink className="link" href={objectHref("VirtualService", key.namespace, key.name)}>
            {t("delegate-rules", { object: `${key.namespace}/${key.name}` })}
          </ObjectLink>
        )}
      </p>
      <OtherFields path={delegate} known={["name", "namespace"]} />
    </>
  );
}
