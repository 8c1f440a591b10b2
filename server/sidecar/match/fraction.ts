import type { RuntimeFractionalPercent } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { type FractionalPercent, FractionalPercent_DenominatorType } from "../../gen/proto/envoy/type/v3/percent_pb.js";

/** A share between 0 and 1. Runtime keys have no layer to read from here, so the default value holds. */
export function share(percent: FractionalPercent | undefined, absent: number): number {
  if (percent === undefined) return absent;
  return Math.min(1, percent.numerator / denominators[percent.denominator]);
}

export const runtimeShare = (percent: RuntimeFractionalPercent | undefined, absent: number): number =>
  share(percent?.defaultValue, absent);

const denominators: Record<FractionalPercent_DenominatorType, number> = {
  [FractionalPercent_DenominatorType.HUNDRED]: 100,
  [FractionalPercent_DenominatorType.TEN_THOUSAND]: 10_000,
  [FractionalPercent_DenominatorType.MILLION]: 1_000_000,
};
