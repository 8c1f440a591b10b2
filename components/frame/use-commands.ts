"use client";
import { useMantineColorScheme } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useTranslations } from "use-intl";
import { serviceTitle } from "../../server/contract/index.ts";
import { useAuthor, useChangeText } from "../config/change-text.ts";
import { useObjects } from "../config/config-queries.ts";
import { currentRequest } from "../lib/current-request.ts";
import { mayLeave } from "../lib/leave-guard.ts";
import {
  explainHref,
  injectFaultHref,
  newObjectHref,
  objectHref,
  outOfSyncHref,
  proxyHref,
  type ServiceId,
  serviceHref,
  serviceOnGraphHref,
} from "../lib/links.ts";
import { remember } from "../lib/preferences.ts";
import { useChanges, useProxies, useServices } from "../lib/queries.ts";
import { useMay } from "../lib/session.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import type { Command } from "./commands.ts";
import { showKeys, startTour } from "./guides.tsx";
import { languages } from "./languages.ts";
import { usePages } from "./pages.ts";
import { exportMesh, useRangeCommands, useRunningCommands } from "./palette-acts.ts";

const keyOf = ({ namespace, hostname }: ServiceId): string => `${namespace}-${hostname}`;

/**
 * All that the palette offers: pages, then what the mesh has, then what can be done. Read while it is open. `onUndo` shows what taking a
 * change back would do.
 */
export function useCommands(onUndo: (revision: number) => void): Command[] {
  const t = useTranslations("palette");
  const nav = useTranslations("nav");
  const pages = usePages();
  const frame = useTranslations("frame");
  const said = useChangeText();
  const authorOf = useAuthor();
  const router = useRouter();
  const may = useMay();
  const { setColorScheme } = useMantineColorScheme();
  const services = useServices(defaultWindowSec).data?.services ?? [];
  const proxies = useProxies().data?.proxies ?? [];
  const objects = useObjects().data?.objects ?? [];
  const changes = useChanges({ sinceMs: 0, limit: 5 }).data?.changes ?? [];
  const request = currentRequest();
  const go = (href: string) => () => {
    if (mayLeave()) router.push(href);
  };
  const command = (id: string, label: string, group: string, href: string): Command => ({
    id,
    label,
    group,
    run: go(href),
  });
  const action = t("action");
  const act = (id: string, label: string, run: () => void): Command => ({ id, label, group: action, acts: true, run });
  const leading = (id: string, label: string, href: string): Command => act(id, label, go(href));
  const running = useRunningCommands({ act, leading, command });
  const ranges = useRangeCommands({ act, leading, command });
  return [
    ...pages.map(({ key, href }) => command(`page-${key}`, nav(key), t("page"), href)),
    ...services.map((service) =>
      command(
        `open-${keyOf(service)}`,
        serviceTitle(service),
        t("service", { namespace: service.namespace }),
        serviceHref(service),
      ),
    ),
    ...proxies.map(({ id, name, namespace }) => command(`proxy-${id}`, name, t("proxy", { namespace }), proxyHref(id))),
    ...objects.map(({ kind, namespace, name }) =>
      command(
        `object-${kind}-${namespace}-${name}`,
        name,
        namespace ? t("object", { kind, namespace }) : kind,
        objectHref(kind, namespace, name),
      ),
    ),
    ...services.flatMap((service) => {
      const [key, name] = [keyOf(service), serviceTitle(service)];
      return [
        ...(may("operator", service.namespace)
          ? [
              leading(`shift-${key}`, t("shift", { name }), serviceHref(service, "traffic")),
              leading(`fault-${key}`, t("fault", { name }), injectFaultHref(service)),
            ]
          : []),
        leading(`graph-${key}`, t("graph", { name }), serviceOnGraphHref(service)),
      ];
    }),
    ...proxies.map(({ id, name, namespace }) =>
      leading(`explain-${id}`, t("explain-from", { name }), explainHref({ from: `${namespace}/${name}`, url: "" })),
    ),
    ...running,
    ...(may("operator") ? changes : []).map((change) => {
      const { revision } = change;
      const words = { revision, summary: said(change), author: authorOf(change.author) };
      return act(`undo-${revision}`, t("undo", words), () => onUndo(revision));
    }),
    ...ranges,
    act("export", t("export"), exportMesh),
    leading("explain", request ? t("explain") : nav("explain"), explainHref(request)),
    ...(may("operator") ? [leading("new-object", t("new-object"), newObjectHref)] : []),
    leading("out-of-sync", t("out-of-sync"), outOfSyncHref),
    act("keys", t("keys"), showKeys),
    act("tour", t("tour"), startTour),
    ...(["dark", "light", "auto"] as const).map((scheme) =>
      act(`theme-${scheme}`, t("theme", { theme: frame(`theme-${scheme}`) }), () => setColorScheme(scheme)),
    ),
    ...languages.map(({ locale, name }) =>
      act(`locale-${locale}`, t("language", { language: name }), () => {
        remember("locale", locale);
        router.refresh();
      }),
    ),
  ];
}
