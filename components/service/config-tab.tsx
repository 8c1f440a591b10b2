"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { Routing } from "../../server/contract/index.ts";
import { ChangeHistory } from "../config/change-history.tsx";
import { YamlView } from "../config/yaml-view.tsx";
import { objectHref } from "../lib/links.ts";
import type { Live } from "../lib/live.ts";
import { Unreadable } from "../list/live-content.tsx";
import { Link } from "../ui/link.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./tabs.module.css";

/** The objects that shape its traffic, as they are stored, and who changed them. */
export function ConfigTab({
  service,
  routing,
}: {
  service: { namespace: string; name: string };
  routing: Live<Routing>;
}) {
  const t = useTranslations("service");
  const { data, error } = routing;
  if (!data && error) return <Unreadable title={t("config-unreadable")} live={routing} />;
  if (!data) return <SkeletonBlock height={320} />;
  const names = [data.virtualService, data.destinationRule].flatMap((object) => object?.name ?? []);
  return (
    <div className={styles.charts}>
      <ObjectPanel kind="VirtualService" object={data.virtualService} none={t("no-virtual-service")} />
      <ObjectPanel kind="DestinationRule" object={data.destinationRule} none={t("no-destination-rule")} />
      <div className={styles.wide}>
        <ChangeHistory
          title={t("history")}
          matches={({ objects }) =>
            objects.some(
              (object) =>
                object.namespace === service.namespace && (names.includes(object.name) || object.name === service.name),
            )
          }
        />
      </div>
    </div>
  );
}

function ObjectPanel({ kind, object, none }: { kind: string; object: Routing["virtualService"]; none: string }) {
  const t = useTranslations("service");
  return (
    <Panel
      title={kind}
      hint={object && `${object.namespace}/${object.name}`}
      actions={
        object && (
          <Button
            component={Link}
            href={objectHref(kind, object.namespace, object.name)}
            size="compact-sm"
            data-testid={`edit-${kind}`}
          >
            {t("edit")}
          </Button>
        )
      }
      flush
    >
      {object ? <YamlView text={object.yaml} label={`${kind} ${object.name}`} /> : <EmptyState title={none} />}
    </Panel>
  );
}
