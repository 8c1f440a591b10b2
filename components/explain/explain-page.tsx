"use client";
import { use, useState } from "react";
import { useTranslations } from "use-intl";
import { Explanation } from "../../server/contract/index.ts";
import { getJson, type Settled, sendJson } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { logsHref } from "../lib/links.ts";
import { useLive } from "../lib/live.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Link } from "../ui/link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import styles from "./explain.module.css";
import { ExplainForm } from "./explain-form.tsx";
import { explainQuery } from "./explain-query.ts";
import { DestinationPanel, SidePanel } from "./side-panel.tsx";
import { Verdict } from "./verdict.tsx";

export interface ExplainPageProps {
  initial: Promise<Settled<Explanation> | undefined>;
  initialQuery: Record<string, string> | undefined;
}

/** What happens to a request, and why. Who calls what is in the URL; it is asked again every few seconds, as config changes. */
export function ExplainPage({ initial, initialQuery }: ExplainPageProps) {
  const t = useTranslations("explain");
  const url = useUrlState();
  const first = use(initial);
  const errorText = useErrorText();
  const [token, setToken] = useState("");
  const query = explainQuery((name) => url.get(name));
  const text = new URLSearchParams(query).toString();
  const live = useLive({
    queryKey: ["explain", text, token],
    read: (signal) =>
      token === ""
        ? getJson(Explanation, `/api/explain?${text}`, signal)
        : sendJson(Explanation, "POST", "/api/explain", { ...query, token }, signal),
    everyMs: 5000,
    enabled: query !== undefined,
    initial: token === "" && text === new URLSearchParams(initialQuery).toString() ? first : undefined,
  });
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")} />
      <ExplainForm key={text} token={token} onToken={setToken} />
      {query === undefined ? (
        <Panel flush>
          <EmptyState
            title={t("empty")}
            action={
              <Link className="link" href={logsHref}>
                {t("to-logs")}
              </Link>
            }
          >
            {t("empty-text")}
          </EmptyState>
        </Panel>
      ) : (
        <div className={styles.stack} data-testid="explain-answer">
          {/* What was asked makes no sense: no waiting helps. */}
          {live.error && ["INVALID", "NOT_FOUND"].includes(live.error.code) ? (
            <Notice tone="warn">{errorText(live.error.errors?.[0] ?? live.error)}</Notice>
          ) : (
            <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={420} />}>
              {(answer) => (
                <>
                  <Verdict answer={answer} />
                  <SidePanel side={answer.source} />
                  {answer.destinations.map((destination) => (
                    <DestinationPanel
                      key={`${destination.mirrored} ${destination.cluster}`}
                      destination={destination}
                    />
                  ))}
                </>
              )}
            </LiveContent>
          )}
        </div>
      )}
    </Page>
  );
}
