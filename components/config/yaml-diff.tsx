"use client";
import { useTranslations } from "use-intl";
import type { ChangeResult } from "../../server/contract/index.ts";
import { CodeDiff } from "./code/code-diff.tsx";
import styles from "./yaml-diff.module.css";

/** What a change would write, object by object. */
export function ObjectDiffs({ objects }: { objects: ChangeResult["objects"] }) {
  const t = useTranslations("config");
  if (objects.length === 0) return <p className={styles.none}>{t("diff-none")}</p>;
  return objects.map(({ kind, namespace, name, before, after, follows }) => (
    <div key={`${kind}/${namespace}/${name}`} data-testid="object-diff">
      {objects.length > 1 && (
        <p className={styles.object}>
          {kind} {namespace && `${namespace}/`}
          {name}
          <span>
            {follows ? t("diff-follows") : before === "" ? t("diff-new") : after === "" ? t("diff-gone") : ""}
          </span>
        </p>
      )}
      {before === after ? (
        <p className={styles.none}>{t("diff-same")}</p>
      ) : (
        <CodeDiff before={before} after={after} label={t("diff-of", { object: `${kind} ${name}` })} />
      )}
    </div>
  ));
}
