import { type ApiError, DashboardError } from "../contract/index.ts";
import type { Told } from "../contract/told.ts";

/** A failure in words that pages know. */
export const failure = (code: ApiError["code"], said: Told): DashboardError => new DashboardError({ code, ...said });
