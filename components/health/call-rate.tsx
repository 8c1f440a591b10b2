"use client";
import { ruleLayerOf, type ServiceListItem } from "../../server/contract/index.ts";
import { NumberWithUnit } from "../ui/quantity.tsx";

/** How often a service is called: requests, or connections where these are all that it knows. */
export const CallRate = ({ service }: { service: Pick<ServiceListItem, "ports" | "signals"> }) => (
  <NumberWithUnit value={service.signals.requestRate} kind={ruleLayerOf(service) === "tcp" ? "per-second" : "rps"} />
);
