"use client";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { AdvisedPolicy } from "../../server/contract/index.ts";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { Notice } from "../ui/states.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import styles from "./advice.module.css";
import { ApplyText } from "./apply-text.tsx";
import { CheckResult } from "./check-result.tsx";
import { LeftOutList } from "./left-out-list.tsx";
import { RuleList } from "./rule-list.tsx";
import { atStage, type Stage, stages } from "./staged-yaml.ts";

/** One policy: its rules with their calls, its YAML, what it would have refused, and how far it is to go. */
export function PolicyPanel({ policy, range }: { policy: AdvisedPolicy; range: TimeRange }) {
  const t = useTranslations("advice");
  const [stage, setStage] = useState<Stage>("dry-run");
  const [text, setText] = useState(atStage(policy.yaml, "dry-run"));
  const { calls, lines, complete } = policy.evidence;
  const choose = (next: Stage) => {
    setStage(next);
    setText(atStage(text, next));
  };
  return (
    <Panel title={policy.name} hint={policy.namespace} data-testid="advised-policy">
      <div className={styles.stack}>
        {complete ? (
          <p className={styles.quiet}>{t("complete", { calls })}</p>
        ) : (
          <Notice tone="warn">{t("incomplete", { calls, lines })}</Notice>
        )}
        <div className={styles.columns}>
          <div className={styles.stack}>
            <RuleList rules={policy.rules} />
            <LeftOutList list={policy.leftOut} />
          </div>
          <div className={styles.stack}>
            <fieldset className={styles.stages}>
              <legend>{t("stage")}</legend>
              {stages.map((one) => (
                <PillButton key={one} pressed={stage === one} onClick={() => choose(one)} data-testid={`stage-${one}`}>
                  {t(`stage-${one}`)}
                </PillButton>
              ))}
              <p className={styles.quiet}>{t(`stage-${stage}-text`)}</p>
            </fieldset>
            <ApplyText
              text={text}
              onText={setText}
              proposal={atStage(policy.yaml, stage)}
              kind="AuthorizationPolicy"
              name={policy.name}
            />
          </div>
        </div>
        {/* At whatever stage it is tried: what refuses nobody yet would always come out well. */}
        <CheckResult yaml={atStage(text, "enforce")} range={range} />
      </div>
    </Panel>
  );
}
