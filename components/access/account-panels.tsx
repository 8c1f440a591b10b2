"use client";
import { Button, PasswordInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { ApiError } from "../../server/contract/index.ts";
import { FieldErrors } from "../config/field-errors.tsx";
import { toApiError } from "../lib/api.ts";
import { useSession } from "../lib/session.tsx";
import { signOut, signOutEverywhere } from "../lib/sign-out.ts";
import { Panel } from "../ui/panel.tsx";
import styles from "./access.module.css";
import { changePassword } from "./access-queries.ts";
import { GrantsText } from "./grants-field.tsx";
import { NewToken, TokenList } from "./tokens.tsx";

/** Of whoever is signed in: what they may do, their password, their tokens, and the way out. */
export function AccountPanels() {
  const t = useTranslations("account");
  const session = useSession();
  if (session === null) return null;
  return (
    <>
      <Panel title={t("title")} data-testid="account">
        <div className={styles.form}>
          <p>
            <b>{session.name}</b> <GrantsText grants={session.grants} />
          </p>
          <div className={styles.actions}>
            <Button size="compact-sm" variant="default" onClick={signOut}>
              {t("sign-out")}
            </Button>
            <Button size="compact-sm" variant="default" onClick={signOutEverywhere} data-testid="sign-out-everywhere">
              {t("sign-out-everywhere")}
            </Button>
          </div>
        </div>
      </Panel>
      {/* Whoever comes by a token or by an identity provider has no password here. */}
      {["password", "link"].includes(session.way) && (
        <Panel title={t("password")} hint={session.hasPassword ? undefined : t("password-none")}>
          <PasswordForm hasPassword={session.hasPassword} />
        </Panel>
      )}
      <TokenList />
      <Panel title={t("new-token")}>
        <NewToken />
      </Panel>
    </>
  );
}

function PasswordForm({ hasPassword }: { hasPassword: boolean }) {
  const t = useTranslations("account");
  const [error, setError] = useState<ApiError | null>(null);
  const [state, setState] = useState<"idle" | "busy" | "done">("idle");
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const given = new FormData(form);
    setState("busy");
    setError(null);
    changePassword(String(given.get("password")), String(given.get("current") ?? "")).then(
      () => {
        form.reset();
        setState("done");
      },
      (cause: unknown) => {
        setState("idle");
        setError(toApiError(cause));
      },
    );
  };
  const toggle = { "aria-label": t("show-password") };
  return (
    <form className={styles.form} onSubmit={submit}>
      <div className={styles.plain}>
        {hasPassword && (
          <PasswordInput
            name="current"
            label={t("current")}
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={toggle}
          />
        )}
        <PasswordInput
          name="password"
          label={t("new-password")}
          autoComplete="new-password"
          minLength={12}
          maxLength={256}
          required
          visibilityToggleButtonProps={toggle}
          data-testid="new-password"
        />
        <Button type="submit" loading={state === "busy"} data-testid="password-save">
          {t("save-password")}
        </Button>
      </div>
      {state === "done" && <p role="status">{t("password-saved")}</p>}
      {error && <FieldErrors error={error} />}
    </form>
  );
}
