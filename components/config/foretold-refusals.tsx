"use client";
import { useTranslations } from "use-intl";
import type { ForetoldRefusal } from "../../server/contract/index.ts";
import styles from "./change-safety.module.css";

const shownAtMost = 12;
const namesAtMost = 8;

/** Which proxies would refuse the change, in their own words, with the field and line that they mean. They would go on as before. */
export function ForetoldRefusals({ refusals }: { refusals: readonly ForetoldRefusal[] }) {
  const t = useTranslations("safety");
  if (refusals.length === 0) return null;
  return (
    <ul className={styles.bad} data-testid="foretold">
      {refusals.slice(0, shownAtMost).map((one) => (
        <Refusal key={`${one.type}/${one.resource}/${one.detail}`} refusal={one} />
      ))}
      {refusals.length > shownAtMost && <li>{t("foretold-more", { count: refusals.length - shownAtMost })}</li>}
    </ul>
  );
}

function Refusal({ refusal: { type, resource, detail, proxies, object, place } }: { refusal: ForetoldRefusal }) {
  const t = useTranslations("safety");
  const more = proxies.length - namesAtMost;
  return (
    <li data-resource={resource}>
      <p>
        {t("foretold", { proxies: proxies.slice(0, namesAtMost).join(t("comma")) })}
        {more > 0 && ` ${t("foretold-proxies", { count: more })}`}
      </p>
      {object && (
        <p className={styles.plain}>
          {object.kind} {object.namespace && `${object.namespace}/`}
          {object.name}{" "}
          {place && (
            <>
              <code>{place.path}</code> {t("foretold-line", { line: place.line })}
            </>
          )}
        </p>
      )}
      <p className={styles.detail}>
        {type} {detail}
      </p>
    </li>
  );
}
