"use client";
import {
  CertificateReport,
  CoverageReport,
  MutualTlsReport,
  MutualTlsTrend,
  PolicyReport,
  RefusalReport,
  RevocationPreview,
  StrictPreview,
} from "../../server/contract/index.ts";
import { getJson, type Settled } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";
import type { TimeRange } from "../ui/time-range.ts";
import { namedBy, securityWindowSec } from "./security-address.ts";

/** Each of them reads every call of its window. */
const pace = 5_000;
const slow = 15_000;

const paceOf = ({ windowSec, at }: TimeRange) => (at !== null ? null : windowSec > 3600 ? slow : pace);
const stretch = ({ windowSec, at }: TimeRange) => `window=${windowSec}${at === null ? "" : `&at=${at}`}`;

export const useMutualTls = (range: TimeRange, initial?: Settled<MutualTlsReport>): Live<MutualTlsReport> =>
  useLive({
    queryKey: ["security-mutual-tls", range],
    read: (signal) => getJson(MutualTlsReport, `/api/security/mutual-tls?${stretch(range)}`, signal),
    everyMs: paceOf(range),
    initial,
  });

/** `target` as of `useStrictPreview`. */
export function useMutualTlsTrend(
  target: string,
  range: TimeRange,
  initial?: Settled<MutualTlsTrend>,
): Live<MutualTlsTrend> {
  const query = `${new URLSearchParams(namedBy(target))}&${stretch(range)}`;
  return useLive({
    queryKey: ["security-mutual-tls-trend", query],
    read: (signal) => getJson(MutualTlsTrend, `/api/security/mutual-tls/trend?${query}`, signal),
    everyMs: paceOf(range),
    initial,
  });
}

/** `<namespace>`, `<namespace>/<workload>`, or `*` for the mesh. */
export function useStrictPreview(
  target: string,
  range: TimeRange,
  initial?: Settled<StrictPreview>,
): Live<StrictPreview> {
  const query = `${new URLSearchParams(namedBy(target))}&${stretch(range)}`;
  return useLive({
    queryKey: ["security-strict", query],
    read: (signal) => getJson(StrictPreview, `/api/security/strict?${query}`, signal),
    everyMs: paceOf(range),
    initial,
  });
}

export const useCoverage = (range: TimeRange, initial?: Settled<CoverageReport>): Live<CoverageReport> =>
  useLive({
    queryKey: ["security-coverage", range],
    read: (signal) => getJson(CoverageReport, `/api/security/coverage?${stretch(range)}`, signal),
    everyMs: paceOf(range),
    initial,
  });

export const useRefusals = (range: TimeRange, initial?: Settled<RefusalReport>): Live<RefusalReport> =>
  useLive({
    queryKey: ["security-refusals", range],
    read: (signal) => getJson(RefusalReport, `/api/security/refusals?${stretch(range)}`, signal),
    everyMs: paceOf(range),
    initial,
  });

export const usePolicyEffects = (range: TimeRange, initial?: Settled<PolicyReport>): Live<PolicyReport> =>
  useLive({
    queryKey: ["security-policies", range],
    read: (signal) => getJson(PolicyReport, `/api/security/policies?${stretch(range)}`, signal),
    everyMs: range.at === null ? slow : null,
    initial,
  });

export const useCertificates = (initial?: Settled<CertificateReport>): Live<CertificateReport> =>
  useLive({
    queryKey: ["security-certificates"],
    read: (signal) => getJson(CertificateReport, "/api/security/certificates", signal),
    everyMs: pace,
    initial,
  });

/** Of the last hour. */
export const useRevocation = (identity: string, initial?: Settled<RevocationPreview>): Live<RevocationPreview> =>
  useLive({
    queryKey: ["security-revocation", identity],
    read: (signal) =>
      getJson(
        RevocationPreview,
        `/api/security/revocation?${new URLSearchParams({ identity })}&${stretch({ windowSec: securityWindowSec, at: null })}`,
        signal,
      ),
    everyMs: pace,
    initial,
  });
