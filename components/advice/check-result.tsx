"use client";
import { useDebouncedValue } from "@mantine/hooks";
import { useTranslations } from "use-intl";
import { PolicyCheck } from "../../server/contract/index.ts";
import { sendJson } from "../lib/api.ts";
import { useLive } from "../lib/live.ts";
import { LiveContent } from "../list/live-content.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import styles from "./advice.module.css";
import { Sample } from "./rule-list.tsx";

/** What the text as it stands would have refused; asked again as calls come, so that a policy on trial can be watched. */
export function CheckResult({ yaml, range: { windowSec, at } }: { yaml: string; range: TimeRange }) {
  const t = useTranslations("advice");
  const [text] = useDebouncedValue(yaml, 400);
  const body = { yaml: text, window: windowSec, ...(at !== null && { at }) };
  const live = useLive({
    queryKey: ["advice-check", body],
    read: () => sendJson(PolicyCheck, "POST", "/api/advice/check", body),
    everyMs: at === null ? 10_000 : null,
  });
  return (
    <section aria-label={t("check")} data-testid="advice-check">
      <h3 className={styles.heading}>{t("check")}</h3>
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={60} />}>
        {(check) => (
          <>
            <p className={styles.verdict} data-tone={check.wouldRefuse > 0 ? "bad" : "ok"}>
              {t("would-refuse", { count: check.wouldRefuse, judged: check.judged })}
              {check.already > 0 && ` ${t("already", { count: check.already })}`}
              {check.undecided > 0 &&
                ` ${t("undecided", { count: check.undecided, missing: check.missing.join(", ") })}`}
              {!check.evidence.complete &&
                ` ${t("incomplete", { calls: check.evidence.calls, lines: check.evidence.lines })}`}
            </p>
            <ul className={styles.plain}>
              {check.refused.map((call) => (
                <li
                  key={`${call.caller} ${call.destination} ${call.method} ${call.path} ${call.rule}`}
                  className={styles.rule}
                >
                  <b>{call.caller || t("unknown")}</b> → {call.destination} {t("calls", { calls: call.calls })}:{" "}
                  {t("by-rule", { rule: call.rule })}
                  <Sample sample={call} />
                </li>
              ))}
            </ul>
          </>
        )}
      </LiveContent>
    </section>
  );
}
