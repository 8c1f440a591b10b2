import type { Duration } from "@bufbuild/protobuf/wkt";
import { duration, zero } from "./duration.ts";

/** Unset is none in Istio, where Envoy's own default is 15 s. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRoute-timeout */
export const routeTimeout = (timeout: string | undefined): Duration => (timeout ? duration(timeout) : zero);
