"use client";
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import { type ProxyResource, ProxyResourceContents } from "../../server/contract/index.ts";
import { CodeDiff } from "../config/code/code-diff.tsx";
import { getJson } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { objectHref } from "../lib/links.ts";
import { useLive } from "../lib/live.ts";
import { useUrlState } from "../lib/url-state.ts";
import { Unreadable } from "../list/live-content.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { PillButton } from "../ui/pill.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import styles from "./config-dump.module.css";
import { JsonView } from "./json-view.tsx";
import { originPaths } from "./origin-paths.ts";
import { parseOrigin } from "./sync-state.ts";

/** One resource of a proxy, read when it is opened and again when it has changed. */
export function ResourceDetail({ id, resource, onBack }: { id: string; resource: ProxyResource; onBack: () => void }) {
  const t = useTranslations("proxies");
  const textOf = useErrorText();
  const { type, name, version, state } = resource;
  const query = new URLSearchParams({ type, name });
  const live = useLive({
    queryKey: ["proxy-resource", id, type, name, version, state],
    read: (signal) => getJson(ProxyResourceContents, `/api/proxies/${encodeURIComponent(id)}/config?${query}`, signal),
    everyMs: null,
  });
  const { data, error } = live;
  return (
    <>
      <div className={styles.about}>
        <button type="button" className={styles.back} onClick={onBack}>
          ← {t("back")}
        </button>
        <h3 className="mono">{name}</h3>
        <p className="muted">
          {t(`one-${type}`)} · {t(`state-${state}`)}
          {version && ` · ${t("version", { version: version.slice(0, 12) })}`}
        </p>
        {data && <Origins config={data.refusedConfig ?? data.config} />}
        {resource.error && <p className={styles.error}>{resource.error}</p>}
      </div>
      {!data && error?.code === "NOT_FOUND" && <EmptyState title={t("resource-gone")} />}
      {!data && error && error.code !== "NOT_FOUND" && <Unreadable title={t("dump-unreadable")} live={live} />}
      {data && error && <Notice tone="warn">{textOf(error)}</Notice>}
      {!data && !error && (
        <div className={styles.loading}>
          <SkeletonBlock height={300} />
        </div>
      )}
      {data && <Contents contents={data} />}
    </>
  );
}

/** The objects that it was made from. */
function Origins({ config }: { config: unknown }) {
  const t = useTranslations("proxies");
  const origins = useMemo(() => originPaths(config).flatMap((path) => parseOrigin(path) ?? []), [config]);
  if (origins.length === 0) return null;
  return (
    <p className="muted" data-testid="origins">
      {t("comes-from")}{" "}
      {origins.map(({ kind, namespace, name }, i) => (
        <span key={`${kind}/${namespace}/${name}`}>
          {i > 0 && t("comma")}
          <ObjectLink className="link" href={objectHref(kind, namespace, name)}>
            {kind} {namespace}/{name}
          </ObjectLink>
        </span>
      ))}
    </p>
  );
}

const views = ["diff", "in-force", "refused"] as const;

/** What is in force; beside it what was refused, and how the two differ. */
function Contents({ contents }: { contents: ProxyResourceContents }) {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const { config, refusedConfig, name, version } = contents;
  const refused = refusedConfig !== null && refusedConfig !== undefined;
  // A proxy that outlived its control plane says which version it holds, not what stands in it.
  const unknown = config === null && version !== "";
  const offered = unknown ? views.filter((one) => one !== "diff") : views;
  const chosen = offered.find((one) => one === url.get("view"));
  const view = refused ? (chosen ?? (unknown ? "refused" : "diff")) : "in-force";
  return (
    <>
      {refused && (
        <div className={styles.views}>
          {offered.map((one) => (
            <PillButton
              key={one}
              pressed={one === view}
              onClick={() => url.set({ view: one })}
              data-testid={`view-${one}`}
            >
              {t(`view-${one}`)}
            </PillButton>
          ))}
        </div>
      )}
      {view === "diff" && (
        <div className={styles.diff}>
          <CodeDiff before={jsonText(config)} after={jsonText(refusedConfig)} label={t("view-diff")} />
        </div>
      )}
      {view === "in-force" && (
        <>
          {config === null && <p className={styles.none}>{unknown ? t("in-force-unknown") : t("nothing-in-force")}</p>}
          {config !== null && <JsonView value={config} label={name} />}
        </>
      )}
      {view === "refused" && <JsonView value={refusedConfig} label={name} />}
    </>
  );
}

const jsonText = (value: unknown): string => (value === null ? "" : `${JSON.stringify(value, null, 2)}\n`);
