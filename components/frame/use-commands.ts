"use client";
import { useMantineColorScheme } from "@mantine/core";
import { useRouter } from "next/navigation";
import { useTranslations } from "use-intl";
import { serviceTitle } from "../../server/contract/index.ts";
import { useObjects } from "../config/config-queries.ts";
import { mayLeave } from "../lib/leave-guard.ts";
import {
  injectFaultHref,
  newObjectHref,
  objectHref,
  outOfSyncHref,
  proxyHref,
  type ServiceId,
  serviceHref,
  serviceOnGraphHref,
} from "../lib/links.ts";
import { useProxies, useServices } from "../lib/queries.ts";
import { defaultWindowSec } from "../ui/time-window.ts";
import type { Command } from "./commands.ts";
import { pages } from "./navigation.tsx";
import { languages, rememberLocale } from "./user-menu.tsx";

const keyOf = ({ namespace, hostname }: ServiceId): string => `${namespace}-${hostname}`;

/** All that the palette offers: pages, then what the mesh has, then what can be done. Read while it is open. */
export function useCommands(): Command[] {
  const t = useTranslations("palette");
  const nav = useTranslations("nav");
  const frame = useTranslations("frame");
  const router = useRouter();
  const { setColorScheme } = useMantineColorScheme();
  const services = useServices(defaultWindowSec).data?.services ?? [];
  const proxies = useProxies().data?.proxies ?? [];
  const objects = useObjects().data?.objects ?? [];
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
        command(`shift-${key}`, t("shift", { name }), action, serviceHref(service, "traffic")),
        command(`fault-${key}`, t("fault", { name }), action, injectFaultHref(service)),
        command(`graph-${key}`, t("graph", { name }), action, serviceOnGraphHref(service)),
      ];
    }),
    command("new-object", t("new-object"), action, newObjectHref),
    command("out-of-sync", t("out-of-sync"), action, outOfSyncHref),
    ...(["dark", "light", "auto"] as const).map((scheme) => ({
      id: `theme-${scheme}`,
      label: t("theme", { theme: frame(`theme-${scheme}`) }),
      group: action,
      run: () => setColorScheme(scheme),
    })),
    ...languages.map(({ locale, name }) => ({
      id: `locale-${locale}`,
      label: t("language", { language: name }),
      group: action,
      run: () => {
        rememberLocale(locale);
        router.refresh();
      },
    })),
  ];
}
