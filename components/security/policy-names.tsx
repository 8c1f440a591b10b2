"use client";
import { useTranslations } from "use-intl";
import type { SpeakingPolicy } from "../../server/contract/index.ts";
import { objectHref, ruleHref } from "../lib/links.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import styles from "./security.module.css";

/** Policies before a workload, each with the rules of it that spoke, as links to their lines. */
export function PolicyNames({ policies }: { policies: readonly SpeakingPolicy[] }) {
  const t = useTranslations("security");
  if (policies.length === 0) return <span className="muted">{t("no-policy")}</span>;
  return (
    <ul className={styles.ports}>
      {policies.map(({ namespace, name, action, dryRun, rules }) => (
        <li key={`${namespace}/${name}`}>
          <span className="muted">{action}</span>{" "}
          <ObjectLink className="link" href={objectHref("AuthorizationPolicy", namespace, name)}>
            {name}
          </ObjectLink>
          {rules.map((rule) => (
            <span key={rule}>
              {" "}
              <ObjectLink
                className="link mono"
                href={ruleHref({ kind: "AuthorizationPolicy", namespace, name, rule: `rules[${rule}]` })}
              >
                rules[{rule}]
              </ObjectLink>
            </span>
          ))}
          {dryRun && <span className="muted"> {t("on-trial")}</span>}
        </li>
      ))}
    </ul>
  );
}
