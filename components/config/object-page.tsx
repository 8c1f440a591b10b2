"use client";
import { Button } from "@mantine/core";
import Link from "next/link";
import { use, useState } from "react";
import { useTranslations } from "use-intl";
import { withoutFilledIn } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useLeaveGuard } from "../lib/leave-guard.ts";
import { configHref } from "../lib/links.ts";
import { useChanges } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import { ChangeHistory } from "./change-history.tsx";
import { useAuthor, useChangeText } from "./change-text.ts";
import styles from "./config.module.css";
import { type ConfigDocument, type ObjectKey, useObject } from "./config-queries.ts";
import { ObjectEditor } from "./object-editor.tsx";
import { useApply } from "./use-apply.ts";
import { lineOfRule } from "./yaml-place.ts";

export interface ObjectPageProps {
  object: ObjectKey;
  initial: Promise<Settled<ConfigDocument>>;
}

/** One object: its YAML to read and to change, and who changed it. */
export function ObjectPage({ object, initial }: ObjectPageProps) {
  const t = useTranslations("config");
  const live = useObject(object, use(initial));
  const { data, error } = live;
  const path = object.namespace ? `${object.namespace}/${object.name}` : object.name;
  return (
    <Page>
      <PageHeader
        title={object.name}
        hint={
          <span className="mono">
            {object.kind}
            {object.namespace && ` · ${object.namespace}`}
            {data && ` · ${t("revision", { revision: data.resourceVersion })}`}
          </span>
        }
        before={
          <Link className="link" href={configHref}>
            {t("title")}
          </Link>
        }
      />
      {data && error?.code === "NOT_FOUND" && <Notice tone="warn">{t("deleted")}</Notice>}
      {!data && error?.code === "NOT_FOUND" ? (
        <EmptyState
          title={t("unknown", { object: `${object.kind} ${path}` })}
          action={
            <Link className="link" href={configHref}>
              {t("to-list")}
            </Link>
          }
        />
      ) : (
        <LiveContent
          live={error?.code === "NOT_FOUND" ? { ...live, error: null } : live}
          unreadable={t("unreadable")}
          skeleton={<SkeletonBlock height={480} />}
        >
          {(document) => (
            <div className={styles.stack}>
              <Editor document={document} />
              <ChangeHistory
                title={t("history")}
                matches={({ objects }) =>
                  objects.some(
                    (one) => one.kind === object.kind && one.namespace === object.namespace && one.name === object.name,
                  )
                }
              />
            </div>
          )}
        </LiveContent>
      )}
    </Page>
  );
}

function Editor({ document }: { document: ConfigDocument }) {
  const t = useTranslations("config");
  const url = useUrlState();
  const stored = withoutFilledIn(document.yaml);
  const [draft, setDraft] = useState<{ text: string; base: string } | null>(null);
  const dirty = draft !== null && draft.text !== stored;
  const base = draft?.base ?? document.resourceVersion;
  const state = useApply(dirty ? draft.text : null, base);
  useLeaveGuard(dirty, t("leave", { name: document.name }));
  // Where a proxy's complaint, or a request's route, points to; of no use any more once the text is another.
  const rule = url.get("rule");
  const line = Number(url.get("line")) || (rule === null ? null : lineOfRule(stored, rule));
  const overtaken = dirty && base !== document.resourceVersion && !state.busy;
  const apply = async () => {
    if (!dirty || state.error || overtaken) return;
    if (await state.apply()) setDraft(null);
  };
  return (
    <ObjectEditor
      title={document.kind}
      hint={document.name}
      text={draft?.text ?? stored}
      onText={(text) => setDraft({ text, base })}
      line={draft === null ? line : null}
      dirty={dirty}
      state={state}
      onApply={() => void apply()}
      onDiscard={() => setDraft(null)}
      {...(overtaken && {
        conflict: (
          <Overtaken
            kind={document.kind}
            name={document.name}
            onTheirs={() => setDraft(null)}
            onMine={() => setDraft({ text: draft.text, base: document.resourceVersion })}
          />
        ),
      })}
    />
  );
}

function Overtaken(props: { kind: string; name: string; onTheirs: () => void; onMine: () => void }) {
  const t = useTranslations("config");
  const said = useChangeText();
  const authorOf = useAuthor();
  const changes = useChanges({ sinceMs: 0, limit: 20 }).data?.changes ?? [];
  const theirs = changes.find(({ objects }) =>
    objects.some(({ kind, name }) => kind === props.kind && name === props.name),
  );
  return (
    <div className={styles.conflict} role="alert" data-testid="conflict">
      <p>{t("overtaken", { author: theirs ? authorOf(theirs.author) : "?", summary: theirs ? said(theirs) : "" })}</p>
      <div>
        <Button size="compact-sm" onClick={props.onTheirs} data-testid="conflict-theirs">
          {t("take-theirs")}
        </Button>
        <Button size="compact-sm" onClick={props.onMine} data-testid="conflict-mine">
          {t("mine-on-top")}
        </Button>
      </div>
    </div>
  );
}
