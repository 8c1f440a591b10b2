"use client";
import { useTranslations } from "use-intl";
import styles from "./flag-list.module.css";
import { isKnownFlag } from "./flag-words.ts";

/** Response flags, each with what it means and what to do about it. */
export function FlagList({ flags }: { flags: readonly string[] }) {
  const t = useTranslations("flags");
  return (
    <ul className={styles.flags} data-testid="flags-in-words">
      {flags.map((flag) => (
        <li key={flag}>
          <b className="mono">{flag}</b> {isKnownFlag(flag) && t(`means-${flag}`)}
          {isKnownFlag(flag) && <small>{t(`advice-${flag}`)}</small>}
        </li>
      ))}
    </ul>
  );
}
