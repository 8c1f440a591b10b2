import {
  type RateLimitResponse_DescriptorStatus as Status,
  RateLimitResponse_RateLimit_Unit as Unit,
} from "../../../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";

/** The limit that is nearest to its end, and the windows of all: https://tools.ietf.org/id/draft-polli-ratelimit-headers-03.html. Flat. */
export function quotaHeaders(statuses: readonly Status[]): string[] {
  const limited = statuses.filter(({ currentLimit }) => currentLimit !== undefined);
  const [first, ...others] = limited;
  if (first === undefined) return [];
  const least = others.reduce((min, status) => (status.limitRemaining < min.limitRemaining ? status : min), first);
  const windows = limited.map(({ currentLimit }) => {
    const seconds = unitSeconds[currentLimit?.unit ?? Unit.UNKNOWN];
    const name = currentLimit?.name ? `;name="${currentLimit.name.replaceAll(/[^\x20-\x7e]|["\\]/g, "")}"` : "";
    return seconds === undefined ? "" : `, ${currentLimit?.requestsPerUnit};w=${seconds}${name}`;
  });
  return [
    "x-ratelimit-limit",
    `${least.currentLimit?.requestsPerUnit}${windows.join("")}`,
    "x-ratelimit-remaining",
    String(least.limitRemaining),
    "x-ratelimit-reset",
    String(least.durationUntilReset?.seconds ?? 0),
  ];
}

const unitSeconds: Record<number, number | undefined> = {
  [Unit.SECOND]: 1,
  [Unit.MINUTE]: 60,
  [Unit.HOUR]: 3_600,
  [Unit.DAY]: 86_400,
  [Unit.MONTH]: 30 * 86_400,
  [Unit.YEAR]: 365 * 86_400,
  // A week, which our copy of the API has no name for.
  7: 7 * 86_400,
};
