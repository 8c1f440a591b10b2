"use client";
import { useTranslations } from "use-intl";
import type { ExplainedSide, Explanation } from "../../server/contract/index.ts";
import { VersionChip } from "../ui/version-chip.tsx";
import styles from "./explain.module.css";
import { isGood, isOpen, refusingPolicy } from "./explain-words.ts";
import { OriginLink } from "./origin-link.tsx";
import { Percent } from "./percent.tsx";

/** The answer as a sentence: what becomes of the request at its own proxy, and then at those that it reaches. */
export function Verdict({ answer }: { answer: Explanation }) {
  const t = useTranslations("explain");
  const refused = answer.destinations.filter(({ side }) => !isGood(side.end));
  const open = [answer.source, ...answer.destinations.map(({ side }) => side)].filter(isOpen);
  const all = refused.length > 0 && refused.length === answer.destinations.length;
  const tone = all || !isGood(answer.source.end) ? "bad" : refused.length + open.length > 0 ? "warn" : "ok";
  return (
    <section className={styles.verdict} data-tone={tone} aria-label={t("verdict")} data-testid="explain-verdict">
      <p>
        <End side={answer.source} />
      </p>
      {open.map((side) => (
        <p key={`${side.direction} ${side.proxy.id}`} data-testid="explain-open">
          {t("open", { proxy: side.proxy.name })}
        </p>
      ))}
      {refused.map(({ cluster, side }) => (
        <p key={cluster}>
          {t("at", { proxy: side.proxy.name })} <End side={side} />
        </p>
      ))}
    </section>
  );
}

/** How the walk through one proxy ends, in words. */
export function End({ side }: { side: ExplainedSide }) {
  const t = useTranslations("explain");
  const { kind, status, location, details } = side.end;
  const policy = kind === "denied" ? refusingPolicy(side) : null;
  return (
    <>
      <b>{t(`end-${kind}`)}</b>
      {status > 0 && <span className="num"> {status}</span>}
      {location && <span className="mono"> → {location}</span>}
      {kind === "forwarded" && side.direction === "outbound" && <Shares side={side} />}
      {policy?.origin && (
        <>
          {" "}
          <OriginLink origin={policy.origin} />
        </>
      )}
      {details && details !== "direct_response" && <span className={`mono ${styles.quiet}`}> {details}</span>}
    </>
  );
}

function Shares({ side }: { side: ExplainedSide }) {
  return side.clusters.map(({ name, share, subset }) => {
    const host = name.split("|")[3] || name;
    return (
      <span key={name} className={styles.share}>
        <Percent share={share} /> <span className="mono">{host}</span> {subset && <VersionChip version={subset} />}
      </span>
    );
  });
}
