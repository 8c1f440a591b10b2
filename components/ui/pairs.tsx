import { useLocale } from "use-intl";
import styles from "./pairs.module.css";

type Value = string | number | boolean;

/** Names and values, by name; without those that say nothing. */
export function Pairs({ facts }: { facts: Readonly<Record<string, Value | readonly Value[]>> }) {
  // The reader's, which the server knows: its own language would put Chinese names in another order than the browser does.
  const locale = useLocale();
  const shown = Object.entries(facts).filter(([, value]) => value !== "");
  return (
    <dl className={styles.pairs}>
      {shown
        .toSorted(([a], [b]) => a.localeCompare(b, locale))
        .map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{Array.isArray(value) ? value.join(", ") : String(value)}</dd>
          </div>
        ))}
    </dl>
  );
}
