"use client";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { z } from "zod";
import type { ApiError, SignInWays } from "../../server/contract/index.ts";
import { languages } from "../frame/languages.ts";
import { sendJson, toApiError } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { remember } from "../lib/preferences.ts";
import { Drop } from "../ui/drop.tsx";
import styles from "./sign-in-page.module.css";

export interface SignInPageProps {
  ways: SignInWays;
  /** Where to go afterwards: an address of the dashboard's own. */
  next: string;
  /** Why the identity provider did not let somebody in. */
  refused: ApiError | null;
}

/**
 * The first page that anybody sees. A link that was printed where the mesh was started brings its secret in the fragment, which no server and no log sees;
 * it is used by a call of its own, so that whatever only looks at links does not use it up.
 */
export function SignInPage({ ways, next, refused }: SignInPageProps) {
  const t = useTranslations("sign-in");
  const [error, setError] = useState<ApiError | null>(refused);
  const [busy, setBusy] = useState(false);
  const enter = (path: string, body: object): void => {
    setBusy(true);
    setError(null);
    sendJson(z.object({ name: z.string() }), "POST", path, body).then(
      () => window.location.assign(next),
      (cause: unknown) => {
        setBusy(false);
        setError(toApiError(cause));
      },
    );
  };
  const byLink = useLink((link) => enter("/api/sign-in/link", { link }));
  return (
    <main className={styles.page} id="main">
      <section className={styles.card} aria-busy={busy}>
        <p className={styles.brand}>
          <Drop /> Limpid
        </p>
        <h1>{t("title")}</h1>
        {error && <SignInError error={error} />}
        {byLink && busy ? (
          <p role="status">{t("by-link")}</p>
        ) : (
          <>
            {ways.oidc !== null && (
              <Button
                component="a"
                href={`/api/sign-in/oidc?${new URLSearchParams({ next })}`}
                rightSection={<IconExternalLink size={14} aria-hidden />}
                data-testid="sign-in-oidc"
              >
                {t("oidc", { provider: ways.oidc })}
              </Button>
            )}
            {ways.password && <PasswordForm busy={busy} onEnter={(body) => enter("/api/sign-in/password", body)} />}
            <LinkHint ways={ways} />
          </>
        )}
      </section>
      <Languages />
    </main>
  );
}

/** The secret of the address, taken out of it at once: neither the history nor a bookmark shall keep it. */
function useLink(use: (link: string) => void): boolean {
  const used = useRef(false);
  const [found, setFound] = useState(false);
  useEffect(() => {
    const take = () => {
      const link = new URLSearchParams(window.location.hash.slice(1)).get("link");
      if (link === null) return;
      window.history.replaceState(null, "", window.location.pathname + window.location.search);
      if (used.current) return;
      used.current = true;
      setFound(true);
      use(link);
    };
    take();
    // Another link, pasted into the address of the page that stands here.
    const again = () => {
      used.current = false;
      take();
    };
    window.addEventListener("hashchange", again);
    return () => window.removeEventListener("hashchange", again);
  });
  return found;
}

function SignInError({ error }: { error: ApiError }) {
  const textOf = useErrorText();
  return (
    <p className={styles.error} role="alert" data-testid="sign-in-error">
      {textOf(error)}
    </p>
  );
}

function PasswordForm({ busy, onEnter }: { busy: boolean; onEnter: (given: object) => void }) {
  const t = useTranslations("sign-in");
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    onEnter({ name: String(given.get("name")).trim().toLowerCase(), password: String(given.get("password")) });
  };
  return (
    // Should no script ever come, the browser still puts no password into an address.
    <form method="post" onSubmit={submit} className={styles.form}>
      <TextInput
        name="name"
        label={t("name")}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={64}
        required
        data-testid="sign-in-name"
      />
      <PasswordInput
        name="password"
        label={t("password")}
        autoComplete="current-password"
        maxLength={256}
        required
        visibilityToggleButtonProps={{ "aria-label": t("show-password") }}
        data-testid="sign-in-password"
      />
      <Button type="submit" loading={busy} data-testid="sign-in">
        {t("enter")}
      </Button>
    </form>
  );
}

function LinkHint({ ways }: { ways: SignInWays }) {
  const t = useTranslations("sign-in");
  return (
    <div className={styles.hint} data-testid="sign-in-hint">
      <h2>{t(ways.isNew ? "first-title" : "link-title")}</h2>
      <p>{t(ways.isNew ? "first-text" : "link-text")}</p>
      <code>{ways.command}</code>
    </div>
  );
}

function Languages() {
  const current = useLocale();
  return (
    <p className={styles.languages}>
      {languages.map(({ locale, name }) => (
        <button
          key={locale}
          type="button"
          lang={locale}
          aria-pressed={locale === current}
          onClick={() => {
            remember("locale", locale);
            window.location.reload();
          }}
        >
          {name}
        </button>
      ))}
    </p>
  );
}
