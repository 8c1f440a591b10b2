"use client";
import { useState } from "react";
import { withoutFilledIn } from "../../../server/contract/index.ts";
import type { Application } from "../../config/application.ts";
import type { ConfigDocument, ObjectKey } from "../../config/config-queries.ts";

/** An object that is being changed, made or taken away. */
export interface ObjectDraft extends ObjectKey {
  text: string;
  /** What it was made of, and of which version that was; null: it is new. */
  base: string;
  version: string | null;
  removed: boolean;
}

export interface WorkObject extends ObjectKey {
  /** As it would be. */
  text: string;
  /** As it is stored; null: it is not. */
  stored: string | null;
  storedVersion: string | null;
  draft: ObjectDraft | null;
  /** Somebody has written it since the draft was begun. */
  overtaken: boolean;
}

export interface Workbench {
  objects: readonly WorkObject[];
  /** Those that differ from what is stored. */
  changed: readonly WorkObject[];
  write: (key: ObjectKey, text: string) => void;
  create: (key: ObjectKey, text: string) => void;
  /** Taken away, or kept after all. */
  remove: (key: ObjectKey, removed: boolean) => void;
  /** A text of both: made of what is stored now. */
  rebase: (key: ObjectKey, text: string) => void;
  forget: (key: ObjectKey) => void;
  forgetAll: () => void;
  application: Application | null;
}

export const keyText = ({ kind, namespace, name }: ObjectKey): string => `${kind}/${namespace}/${name}`;

/** Drafts of several objects, which are applied as one change. `documents`: what is stored, again and again. */
export function useWorkbench(documents: readonly ConfigDocument[]): Workbench {
  const [drafts, setDrafts] = useState<readonly ObjectDraft[]>([]);
  const objects = workObjects(documents, drafts);
  const changed = objects.filter(isChanged);
  const put = (draft: ObjectDraft) =>
    setDrafts((known) => {
      const at = known.findIndex((one) => keyText(one) === keyText(draft));
      return at < 0 ? [...known, draft] : known.with(at, draft);
    });
  const find = (key: ObjectKey) => objects.find((one) => keyText(one) === keyText(key));
  const draftOf = (key: ObjectKey): ObjectDraft => {
    const found = find(key);
    const { kind, namespace, name } = key;
    return (
      found?.draft ?? {
        kind,
        namespace,
        name,
        text: found?.stored ?? "",
        base: found?.stored ?? "",
        version: found?.storedVersion ?? null,
        removed: false,
      }
    );
  };
  return {
    objects,
    changed,
    write: (key, text) => put({ ...draftOf(key), text }),
    create: (key, text) => put({ ...draftOf(key), text, removed: false }),
    remove: (key, removed) => put({ ...draftOf(key), removed }),
    rebase: (key, text) => {
      const found = find(key);
      put({ ...draftOf(key), text, base: found?.stored ?? "", version: found?.storedVersion ?? null });
    },
    forget: (key) => setDrafts((known) => known.filter((one) => keyText(one) !== keyText(key))),
    forgetAll: () => setDrafts([]),
    application: applicationOf(changed),
  };
}

function workObjects(documents: readonly ConfigDocument[], drafts: readonly ObjectDraft[]): WorkObject[] {
  const stored = documents.map((document): WorkObject => {
    const draft = drafts.find((one) => keyText(one) === keyText(document)) ?? null;
    const text = withoutFilledIn(document.yaml);
    return {
      kind: document.kind,
      namespace: document.namespace,
      name: document.name,
      text: draft?.text ?? text,
      stored: text,
      storedVersion: document.resourceVersion,
      draft,
      overtaken: draft !== null && draft.version !== document.resourceVersion && draft.base !== text,
    };
  });
  const known = new Set(stored.map(keyText));
  const made = drafts
    .filter((draft) => !known.has(keyText(draft)) && !draft.removed)
    .map(
      (draft): WorkObject => ({
        ...draft,
        stored: null,
        storedVersion: null,
        draft,
        overtaken: draft.version !== null,
      }),
    );
  return [...stored, ...made];
}

const isChanged = ({ draft, text, stored }: WorkObject): boolean =>
  draft !== null && (draft.removed || text !== stored);

function applicationOf(changed: readonly WorkObject[]): Application | null {
  if (changed.length === 0) return null;
  const written = changed.filter(({ draft }) => !draft?.removed);
  const removed = changed.filter(({ draft }) => draft?.removed);
  return {
    // Of one whose version alone has moved on (somebody wrote the same), the present one counts.
    texts: written.map(({ text, draft, storedVersion, overtaken }) => ({
      text,
      resourceVersion: overtaken ? (draft?.version ?? null) : storedVersion,
    })),
    removed: removed.map(({ kind, namespace, name, storedVersion }) => ({
      kind,
      namespace,
      name,
      ...(storedVersion !== null && { resourceVersion: storedVersion }),
    })),
  };
}
