"use client";
import { useUrlState } from "../lib/url-state.ts";

/** What is written in a list's `FilterInput`: whether a text has it, upper or lower case alike. */
export function useFilter(): (text: string) => boolean {
  const wanted = (useUrlState().get("filter") ?? "").trim().toLowerCase();
  return (text) => text.toLowerCase().includes(wanted);
}
