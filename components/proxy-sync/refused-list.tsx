"use client";
import { useTranslations } from "use-intl";
import { serviceTitle, withoutFilledIn } from "../../server/contract/index.ts";
import { blamedPlace } from "../../server/wire/yaml-place.ts";
import { useAuthor } from "../config/change-text.ts";
import { useObject } from "../config/config-queries.ts";
import { objectHref, proxyResourceHref } from "../lib/links.ts";
import { useChanges, useServices } from "../lib/queries.ts";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Moment } from "../ui/quantity.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import styles from "./refused-list.module.css";
import { SyncMark } from "./sync-mark.tsx";
import { type ConfigOrigin, clusterHost, type RefusedResource, refusedRevision } from "./sync-state.ts";

const shownAtMost = 20;

/** Every refusal said where it is: who refused what and when, in its own words; the line that it comes from; what holds instead. */
export function RefusedList({ refused }: { refused: readonly RefusedResource[] }) {
  const t = useTranslations("proxies");
  if (refused.length === 0) return null;
  return (
    <div role="alert">
      <ul className={styles.refused} data-testid="refused">
        {refused.slice(0, shownAtMost).map((one) => (
          <Refusal key={`${one.type}${one.resource}${one.detail}`} refused={one} />
        ))}
        {refused.length > shownAtMost && <li>{t("more-refused", { count: refused.length - shownAtMost })}</li>}
      </ul>
    </div>
  );
}

function Refusal({ refused }: { refused: RefusedResource }) {
  const t = useTranslations("proxies");
  const authorOf = useAuthor();
  const { proxies, type, resource, detail, origin, refusedAtMs, inForceSinceMs } = refused;
  const changes = useChanges({ sinceMs: 0, limit: 100 }).data?.changes ?? [];
  const change = refusedRevision(refused, changes);
  const [first] = proxies;
  return (
    <li>
      <SyncMark state="ERROR" />
      <div>
        <p>
          <b>
            {proxies.length === 1 && first
              ? t("refused-by", { proxy: first.name, type: t(`one-${type}`) })
              : t("refused-by-many", { count: proxies.length, type: t(`one-${type}`) })}
          </b>{" "}
          {first && (
            <Link className={`link ${styles.resource}`} href={proxyResourceHref(first.id, type, resource)}>
              {resource}
            </Link>
          )}{" "}
          {change && <span>{t("at-revision", { revision: change.revision, author: authorOf(change.author) })}</span>}{" "}
          {refusedAtMs !== null && (
            <span className="muted">
              <Moment ms={refusedAtMs} />
            </span>
          )}
        </p>
        {proxies.length > 1 && (
          <p className="muted">
            {proxies
              .slice(0, 12)
              .map(({ name }) => name)
              .join(", ")}
            {proxies.length > 12 && " …"}
          </p>
        )}
        <p className={styles.detail}>{detail}</p>
        {origin ? <Cause origin={origin} detail={detail} /> : <NamedService resource={resource} />}
        <p>
          {inForceSinceMs === null
            ? t("nothing-in-force")
            : t.rich("in-force-since", { time: () => <Moment ms={inForceSinceMs} /> })}
        </p>
      </div>
    </li>
  );
}

/** A cluster of a service without rules comes from the service itself, which it names. */
function NamedService({ resource }: { resource: string }) {
  const t = useTranslations("proxies");
  const hostname = clusterHost(resource);
  const services = useServices(defaultWindowSec, undefined, hostname !== null).data?.services ?? [];
  const service = services.find((one) => one.hostname === hostname);
  if (!service) return null;
  const kind = serviceTitle(service) === service.name && service.hostname !== service.name ? "Service" : "ServiceEntry";
  return (
    <p data-testid="cause">
      {t.rich("comes-from-object", {
        link: () => (
          <ObjectLink className="link" href={objectHref(kind, service.namespace, service.name)}>
            {kind} {service.namespace}/{service.name}
          </ObjectLink>
        ),
      })}
    </p>
  );
}

/** The object, and the line of it when the proxy quotes what stands there. */
function Cause({ origin, detail }: { origin: ConfigOrigin; detail: string }) {
  const t = useTranslations("proxies");
  const { data } = useObject(origin);
  const place = data ? blamedPlace(withoutFilledIn(data.yaml), detail) : null;
  return (
    <p data-testid="cause">
      {t.rich("comes-from-object", {
        link: () => (
          <ObjectLink className="link" href={objectHref(origin.kind, origin.namespace, origin.name, place?.line)}>
            {origin.kind} {origin.namespace}/{origin.name}
            {place && (
              <>
                {" "}
                <code>{place.path}</code>
              </>
            )}
          </ObjectLink>
        ),
      })}
    </p>
  );
}
