import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  FractionalPercent_DenominatorType,
  type FractionalPercentSchema,
} from "../gen/proto/envoy/type/v3/percent_pb.js";

/** 0..100 with four decimals, as Istio passes percentages on. */
export const fractionalPercent = (percent: number): MessageInitShape<typeof FractionalPercentSchema> => ({
  numerator: Math.trunc(percent * 10_000),
  denominator: FractionalPercent_DenominatorType.MILLION,
});
