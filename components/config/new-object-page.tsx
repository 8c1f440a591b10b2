"use client";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { useLeaveGuard } from "../lib/leave-guard.ts";
import { configHref, objectHref } from "../lib/links.ts";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import type { ChangeView } from "./change-views.tsx";
import styles from "./config.module.css";
import { ObjectEditor } from "./object-editor.tsx";
import { alertStarter, starter } from "./starter.ts";
import { TemplateMenu } from "./template-menu.tsx";
import { useApply } from "./use-apply.ts";

export interface NewObjectPageProps {
  /** What it begins with, unless it is the example of any object. */
  begin?: "alert" | undefined;
  /** YAML that another page has made, to begin with instead. */
  prepared?: string | undefined;
}

/** New objects from YAML, one or several documents, or from a template. */
export function NewObjectPage({ begin: first, prepared }: NewObjectPageProps) {
  const t = useTranslations("config");
  const [template, setTemplate] = useState(
    () => prepared ?? (first === "alert" ? alertStarter(t("alert-starter")) : starter(t("starter"))),
  );
  const [text, setText] = useState(template);
  const [written, setWritten] = useState<{ kind: string; namespace: string; name: string }[]>([]);
  const [applied, setApplied] = useState<string | null>(null);
  const dirty = text !== applied && text.trim() !== "";
  const [view, setView] = useState<ChangeView>("yaml");
  const state = useApply(dirty ? { texts: [{ text, resourceVersion: null }] } : null, { envoy: view === "envoy" });
  useLeaveGuard(dirty && text !== template, t("leave-new"));
  const apply = async () => {
    if (!dirty || state.error) return;
    const result = await state.apply();
    if (!result) return;
    setApplied(text);
    setWritten(result.objects);
  };
  const begin = (from: string) => {
    setTemplate(from);
    setText(from);
  };
  return (
    <Page>
      <PageHeader
        title={t("new")}
        hint={t("new-hint")}
        before={
          <Link className="link" href={configHref}>
            {t("title")}
          </Link>
        }
      >
        <TemplateMenu onText={begin} />
      </PageHeader>
      <div className={styles.stack}>
        <ObjectEditor
          title="YAML"
          text={text}
          onText={setText}
          dirty={dirty}
          state={state}
          onApply={() => void apply()}
          onUndone={() => setWritten([])}
          onDiscard={() => setText("")}
          typed={text !== template}
          view={view}
          onView={setView}
        />
        {written.length > 0 && (
          <p className="muted">
            {t("written")}{" "}
            {written.map(({ kind, namespace, name }, i) => (
              <span key={`${kind}/${namespace}/${name}`}>
                {i > 0 && ", "}
                <ObjectLink className="link" href={objectHref(kind, namespace, name)}>
                  {kind} {name}
                </ObjectLink>
              </span>
            ))}
          </p>
        )}
      </div>
    </Page>
  );
}
