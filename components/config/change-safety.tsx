"use client";
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ChangeResult } from "../../server/contract/index.ts";
import { useErrorText } from "../lib/error-text.ts";
import { useMay } from "../lib/session.tsx";
import { ConfirmButton } from "../ui/confirm-button.tsx";
import styles from "./change-safety.module.css";
import { deadShares, destinationText } from "./dead-shares.ts";

type Plan = Pick<ChangeResult, "shares" | "warnings">;

/** What a change does that is hardly meant: requests that go where nobody is, and all that kubectl would warn of. */
export function ChangeSafety({ plan }: { plan: Plan | null }) {
  const t = useTranslations("safety");
  const textOf = useErrorText();
  if (!plan) return null;
  const dead = deadShares(plan);
  const { warnings } = plan;
  if (dead.length + warnings.length === 0) return null;
  const objects = new Set(warnings.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`));
  return (
    <div role="alert" data-testid="change-safety">
      {dead.length > 0 && (
        <ul className={styles.bad}>
          {dead.map((share) => (
            <li key={`${share.virtualService}/${share.rule}/${share.hostname}/${share.subset}`}>
              {t("dead", { share: share.after, rule: share.rule + 1, destination: destinationText(share) })}
            </li>
          ))}
        </ul>
      )}
      {warnings.length > 0 && (
        <ul className={styles.warn}>
          {warnings.map(({ kind, namespace, name, path, ...said }) => (
            <li key={`${kind}/${namespace}/${name}/${path}/${said.message}`}>
              {objects.size > 1 && (
                <b>
                  {kind} {namespace && `${namespace}/`}
                  {name}
                </b>
              )}
              {path && <code>{path}</code>}
              <span>{textOf(said)}</span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

export interface SafeButtonProps {
  plan: Plan | null;
  onPress: () => void;
  children: ReactNode;
  loading?: boolean;
  disabled?: boolean;
  "data-testid"?: string;
  /** Where a dialog begins. */
  "data-autofocus"?: boolean;
}

/** The button that does it. What would send requests nowhere needs a second press, on words that say so. */
export function SafeButton({ plan, onPress, children, ...rest }: SafeButtonProps) {
  const t = useTranslations("safety");
  const may = useMay()("operator");
  const [worst] = plan ? deadShares(plan).toSorted((a, b) => b.after - a.after) : [];
  if (!may) return <span className="muted">{t("not-yours")}</span>;
  if (!worst) {
    return (
      <Button variant="filled" onClick={onPress} {...rest}>
        {children}
      </Button>
    );
  }
  return (
    <ConfirmButton
      variant="filled"
      onConfirm={onPress}
      confirm={t("dead-confirm", { share: worst.after, destination: destinationText(worst) })}
      {...rest}
    >
      {children}
    </ConfirmButton>
  );
}
