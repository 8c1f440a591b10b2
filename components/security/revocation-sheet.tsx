"use client";
import { CloseButton, TextInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { RevocationPreview } from "../../server/contract/index.ts";
import { type Settled, toApiError } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { revokeIdentity } from "../lib/writes.ts";
import { LiveContent } from "../list/live-content.tsx";
import { ConfirmButton } from "../ui/confirm-button.tsx";
import { formatDateTime } from "../ui/format.ts";
import { SideSection, SideSheet } from "../ui/side-sheet.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { Count } from "./count.tsx";
import styles from "./security.module.css";
import { useRevocation } from "./security-queries.ts";
import { WorkloadName } from "./workload-name.tsx";

/** What it does to revoke an identity, or to let it have certificates again, said before it is done. */
export function RevocationSheet({
  identity,
  initial,
}: {
  identity: string;
  initial: Settled<RevocationPreview> | undefined;
}) {
  const t = useTranslations("security");
  const url = useUrlState();
  const live = useRevocation(identity, initial);
  const close = () => url.set({ identity: null });
  return (
    <SideSheet label={identity} onClose={close}>
      <div data-testid="revocation">
        <SideSection>
          <div className={styles.head}>
            <h2 className="mono">{identity}</h2>
            <CloseButton aria-label={t("close")} onClick={close} />
          </div>
          <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={96} />}>
            {(preview) => (
              <>
                <Consequences preview={preview} />
                <Act preview={preview} />
              </>
            )}
          </LiveContent>
        </SideSection>
        {live.data && <Calls preview={live.data} />}
      </div>
    </SideSheet>
  );
}

function Consequences({ preview: { own, revoked, proxies, untilMs, calls, plain } }: { preview: RevocationPreview }) {
  const t = useTranslations("security");
  const locale = useLocale();
  if (own) return <p className={styles.quiet}>{t("revoke-own")}</p>;
  const until = untilMs === null ? null : formatDateTime(untilMs, locale);
  const count = calls.reduce((sum, one) => sum + one.calls, 0);
  const connected = proxies.filter((one) => one.connected).map(({ name }) => name);
  if (revoked) {
    return (
      <>
        <p className={styles.verdict} data-tone="bad" suppressHydrationWarning>
          {t("revoked-since", { time: formatDateTime(revoked.atMs, locale) })}
          {revoked.reason && ` ${revoked.reason}`}
        </p>
        <ul className={styles.effects} data-testid="revocation-effects">
          <li>{t("restore-signs")}</li>
          <li>{t("restore-policy")}</li>
        </ul>
      </>
    );
  }
  return (
    <>
      <p className={styles.verdict} data-tone={count > 0 ? "bad" : "ok"} data-testid="revocation-verdict">
        {t("revoke-verdict", { count, called: calls.length })}
      </p>
      <ul className={styles.effects} data-testid="revocation-effects" suppressHydrationWarning>
        <li>{t("revoke-signs")}</li>
        <li>{connected.length > 0 ? t("revoke-streams", { names: connected.join(", ") }) : t("revoke-no-stream")}</li>
        <li>{until === null ? t("revoke-none-out") : t("revoke-policy", { until })}</li>
        {until !== null && <li>{t("revoke-answers", { until })}</li>}
        {plain > 0 && <li>{t("revoke-plain", { count: plain })}</li>}
      </ul>
    </>
  );
}

function Act({ preview: { spiffeUri, revoked, own } }: { preview: RevocationPreview }) {
  const t = useTranslations("security");
  const textOf = useErrorText();
  const client = useQueryClient();
  const [reason, setReason] = useState("");
  if (!useMay()("administrator", "*") || own) return null;
  const verb = revoked ? "restore" : "revoke";
  const act = async () => {
    try {
      await revokeIdentity({ spiffeUri, reason: revoked ? "" : reason.trim() }, verb);
      setReason("");
    } catch (cause) {
      notifications.show({ color: "red", title: t(`failed-${verb}`), message: textOf(toApiError(cause)) });
    }
    for (const name of ["security-certificates", "security-revocation", "proxies"]) {
      void client.invalidateQueries({ queryKey: [name] });
    }
  };
  return (
    <div className={styles.act}>
      {!revoked && (
        <TextInput
          size="xs"
          label={t("reason")}
          placeholder={t("reason-example")}
          value={reason}
          maxLength={500}
          onChange={({ currentTarget }) => setReason(currentTarget.value)}
          data-testid="revocation-reason"
        />
      )}
      <ConfirmButton
        size="compact-sm"
        variant="default"
        confirm={t(`confirm-${verb}`)}
        onConfirm={() => void act()}
        data-testid={`${verb}-identity`}
      >
        {t(verb)}
      </ConfirmButton>
    </div>
  );
}

function Calls({ preview: { calls, own, revoked } }: { preview: RevocationPreview }) {
  const t = useTranslations("security");
  if (calls.length === 0 || own) return null;
  return (
    <SideSection>
      <h3 className={styles.heading}>{t(revoked ? "revoked-calls" : "revoke-calls")}</h3>
      <ul className={styles.broken}>
        {calls.map(({ called, calls: count }) => (
          <li key={called} data-called={called}>
            <span className={styles.pairHead}>
              <span>
                <WorkloadName of={called} />
              </span>
              <Count value={count} tone={revoked ? "plain" : "bad"} />
            </span>
          </li>
        ))}
      </ul>
    </SideSection>
  );
}
