"use client";
import { Button } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { type ChangeResult, deadShares, type ShareChange, wholeMesh } from "../../server/contract/index.ts";
import { useErrorText } from "../lib/error-text.ts";
import { useServices } from "../lib/queries.ts";
import { useMay } from "../lib/session.tsx";
import { ConfirmButton } from "../ui/confirm-button.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import styles from "./change-safety.module.css";
import { destinationText, shareKey } from "./dead-shares.ts";
import { ForetoldRefusals } from "./foretold-refusals.tsx";
import { TrafficMoves } from "./traffic-moves.tsx";

export type Plan = Pick<ChangeResult, "shares" | "warnings" | "refusals"> & Partial<Pick<ChangeResult, "objects">>;

/** What a change does that is hardly meant: requests that go where nobody is, proxies that would refuse it, and all that kubectl would warn of. */
export function ChangeSafety({ plan }: { plan: Plan | null }) {
  const textOf = useErrorText();
  const t = useTranslations("safety");
  const deadText = useDeadText();
  if (!plan) return null;
  const dead = deadShares(plan);
  const { warnings, refusals = [] } = plan;
  const objects = new Set(warnings.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`));
  return (
    <>
      {dead.length + warnings.length + refusals.length > 0 && (
        <div role="alert" data-testid="change-safety">
          {dead.length > 0 && (
            <ul className={styles.bad} data-testid="dead-shares">
              {dead.map((share) => (
                <li key={shareKey(share)}>
                  {deadText(share)}
                  {share.clients && ` ${t("clients", { namespace: share.clients })}`}
                </li>
              ))}
            </ul>
          )}
          <ForetoldRefusals refusals={refusals} />
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
      )}
      <TrafficMoves shares={plan.shares} />
    </>
  );
}

/** What becomes of requests that nobody takes, in words. */
function useDeadText(): (share: ShareChange) => string {
  const t = useTranslations("safety");
  return (share) => {
    const { list } = share;
    const words = { list, share: share.after, rule: share.rule + 1, destination: destinationText(share) };
    switch (share.lost) {
      case "endpoints":
        return t("lost-endpoints", words);
      case "service":
        return t("lost-service", words);
      case "route":
        return t("lost-route", { ...words, share: share.before });
      case "gateway":
        return t("lost-gateway", { gateway: share.hostname, object: share.virtualService });
      default:
        return t("dead", words);
    }
  };
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
export function SafeButton({ plan, onPress, children, "data-autofocus": begins, ...rest }: SafeButtonProps) {
  const t = useTranslations("safety");
  const mayWrite = useMay();
  // Which namespaces it is about is known with the plan; who may write in none of them is offered nothing before that, either.
  const may = plan?.objects?.length
    ? plan.objects.every(({ namespace }) => mayWrite("operator", namespace || wholeMesh))
    : mayWrite("operator");
  const { dead, known } = useLiveDead(plan);
  const [worst] = dead.toSorted((a, b) => weightOf(b) - weightOf(a));
  const disabled = rest.disabled || !known;
  // A dialog that begins at what is disabled begins nowhere.
  const place = { disabled, ...(begins && !disabled && { "data-autofocus": true }) };
  if (!may) return <span className="muted">{t("not-yours")}</span>;
  if (!worst) {
    return (
      <Button variant="filled" onClick={onPress} {...rest} {...place}>
        {children}
      </Button>
    );
  }
  const destination = destinationText(worst);
  const confirm =
    worst.lost === undefined
      ? t("dead-confirm", { share: worst.after, destination })
      : t(worst.lost === "gateway" ? "lost-gateway-confirm" : "lost-confirm", { destination });
  return (
    <ConfirmButton variant="filled" onConfirm={onPress} confirm={confirm} {...rest} {...place}>
      {children}
    </ConfirmButton>
  );
}

/** How long the button waits to hear who has traffic, milliseconds; after that whatever is not known counts as called. */
const patienceMs = 2000;

/** What of a change has to be confirmed: what takes from whom it reaches now. Whoever nobody called in the last minute has nothing to lose. */
function useLiveDead(plan: Plan | null): { dead: readonly ShareChange[]; known: boolean } {
  const dead = plan ? deadShares(plan) : [];
  const isLost = dead.some(({ lost }) => lost !== undefined);
  const live = useServices(defaultWindowSec, undefined, isLost);
  const services = live.data?.services;
  const confirmed = dead.filter(({ lost, hostname }) => {
    if (lost === undefined || lost === "gateway") return true;
    const service = services?.find((one) => one.hostname === hostname);
    return service === undefined || service.signals.requestRate > 0;
  });
  const isAsking = isLost && services === undefined && live.error === null;
  const [isOverdue, setOverdue] = useState(false);
  useEffect(() => {
    if (!isAsking) return;
    const timer = setTimeout(() => setOverdue(true), patienceMs);
    return () => clearTimeout(timer);
  }, [isAsking]);
  return { dead: confirmed, known: !isAsking || isOverdue };
}

const weightOf = ({ before, after }: ShareChange): number => Math.max(before, after);
