"use client";
import { type ServiceListItem, serviceTitle } from "../../../server/contract/index.ts";
import { readObject } from "../../config/document/read-object.ts";
import { valueAt } from "../../config/document/yaml-edit.ts";
import type { Workbench } from "./use-workbench.ts";

/** Hosts to choose from, the namespace's own by their short names, and each one's subsets, those that are drafted, too. */
export function useHosts(services: readonly ServiceListItem[], namespace: string, bench: Workbench) {
  const nameOf = (service: ServiceListItem) =>
    service.namespace === namespace ? serviceTitle(service) : service.hostname;
  const drafted = bench.objects
    .filter(({ kind }) => kind === "DestinationRule")
    .flatMap(({ text }) => {
      const read = readObject(text);
      const subsets = read.ok ? valueAt(read.object, ["spec", "subsets"]) : undefined;
      const names = (Array.isArray(subsets) ? subsets : []).map((one) => String(valueAt(one, ["name"])));
      return read.ok ? [{ host: String(read.object.spec?.host ?? ""), names }] : [];
    });
  return {
    hosts: [...new Set(services.map(nameOf))].toSorted(),
    subsetsOf: (host: string): string[] => {
      const service = services.find((one) => one.hostname === host || nameOf(one) === host);
      const known = service?.versions.flatMap(({ subset }) => subset ?? []) ?? [];
      const own = drafted.filter((one) => one.host === host || one.host === service?.hostname);
      return [...new Set([...known, ...own.flatMap(({ names }) => names)])];
    },
  };
}
