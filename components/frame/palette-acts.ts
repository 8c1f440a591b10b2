"use client";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useLocale, useTranslations } from "use-intl";
import { useActOnCanary } from "../canary/use-act-on-canary.ts";
import { useFaultText } from "../fault/fault-text.tsx";
import { useStopFault } from "../fault/stop-button.tsx";
import { toApiError } from "../lib/api.ts";
import { useErrorText } from "../lib/error-text.ts";
import { designHref, promoteHref } from "../lib/links.ts";
import { useCanaries, useDesigns, useFaults } from "../lib/queries.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { stopLoadTest, useLoadTests } from "../load-test/load-queries.ts";
import { formatSpan } from "../ui/format.ts";
import { rangeParams } from "../ui/time-range.ts";
import { timeWindows } from "../ui/time-window.ts";
import type { Command } from "./commands.ts";

/** What makes entries of the palette. */
export interface CommandMakers {
  /** Does something. */
  act: (id: string, label: string, run: () => void) => Command;
  /** Does something by going where it is done. */
  leading: (id: string, label: string, href: string) => Command;
  /** Goes there. */
  command: (id: string, label: string, group: string, href: string) => Command;
}

/** What goes on and can be ended, and what is kept and can be put in force. */
export function useRunningCommands({ act, leading, command }: CommandMakers): Command[] {
  const t = useTranslations("palette");
  const may = useMay();
  const client = useQueryClient();
  const textOf = useErrorText();
  const actOn = useActOnCanary();
  const stop = useStopFault();
  const faultText = useFaultText();
  const faults = useFaults().data?.faults ?? [];
  const canaries = useCanaries().data?.canaries ?? [];
  const designs = useDesigns().data?.designs ?? [];
  const running = useLoadTests().data?.running ?? null;
  const stopLoad = () =>
    stopLoadTest().then(
      () => true,
      (cause) => {
        notifications.show({ color: "red", title: t("stop-load-failed"), message: textOf(toApiError(cause)) });
        return false;
      },
    );
  /** What was done may stand on no part of the page at hand: it is told. */
  const told = (done: Promise<boolean>, text: string) =>
    void done.then((isDone) => {
      void client.invalidateQueries();
      if (isDone) notifications.show({ message: text, withCloseButton: false });
    });
  return [
    ...canaries.flatMap((canary) => {
      const { name, namespace, service, to, status } = canary;
      const isPaused = status?.phase === "Paused";
      if (!(isPaused || status?.phase === "Progressing") || !may("operator", service.namespace)) return [];
      const key = `${namespace}-${name}`;
      const at = { namespace: service.namespace, hostname: service.hostname ?? service.name };
      const toggle = isPaused ? "resume" : "pause";
      return [
        act(`canary-abort-${key}`, t("canary-abort", { name }), () =>
          told(actOn(canary, "abort"), t("canary-abort-done", { name })),
        ),
        act(`canary-${toggle}-${key}`, t(`canary-${toggle}`, { name }), () =>
          told(actOn(canary, toggle), t(`canary-${toggle}-done`, { name })),
        ),
        // All of the traffic moves: that is asked once more, beside the figures.
        leading(`canary-promote-${key}`, t("canary-promote", { name, version: to }), promoteHref(at)),
      ];
    }),
    ...(running && may("operator")
      ? [act("stop-load", t("stop-load"), () => told(stopLoad(), t("stop-load-done")))]
      : []),
    ...faults
      .filter(({ id }) => may("operator", id.split("/")[0]))
      .map((fault) => {
        const { id, service } = fault;
        const run = () => told(stop(fault), t("stop-fault-done", { service }));
        return act(`stop-${id}`, t("stop-fault", { service, fault: faultText(fault) }), run);
      }),
    ...designs.map(({ name }) => command(`design-${name}`, name, t("design"), designHref(name))),
  ];
}

/** The stretches of time that the page at hand can show. */
export function useRangeCommands({ act }: CommandMakers): Command[] {
  const t = useTranslations("palette");
  const locale = useLocale();
  const url = useUrlState();
  if (document.querySelector('[data-testid="window-picker"]') === null) return [];
  return timeWindows.map((windowSec) =>
    act(`range-${windowSec}`, t("range", { span: formatSpan(windowSec, locale) }), () =>
      url.set(rangeParams({ windowSec, at: null })),
    ),
  );
}

/** Saves the whole configuration as a file. */
export function exportMesh(): void {
  const link = Object.assign(document.createElement("a"), { href: "/api/mesh", download: "" });
  link.click();
}
