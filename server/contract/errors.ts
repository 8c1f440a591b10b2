import { z } from "zod";
import { toldParts } from "./told.ts";

/** The body of every failed call of the dashboard's and the control plane's Limpid API. */
export const ApiError = z.object({
  code: z.enum([
    "INVALID",
    "NOT_FOUND",
    "CONFLICT",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "LIMITED",
    "TOO_LARGE",
    "UNSUPPORTED",
    "BUSY",
    "CONTROL_PLANE_UNREACHABLE",
    "TELEMETRY_UNREACHABLE",
    "INTERNAL",
  ]),
  message: z.string(),
  ...toldParts,
  /** Field by field, when the code is INVALID. */
  errors: z.array(z.object({ path: z.string(), message: z.string(), ...toldParts })).optional(),
});
export type ApiError = z.infer<typeof ApiError>;

/** An ApiError on its way through code. */
export class DashboardError extends Error {
  readonly code: ApiError["code"];
  readonly errors: ApiError["errors"];
  readonly reason: ApiError["reason"];
  readonly params: ApiError["params"];
  constructor(error: ApiError) {
    super(error.message);
    this.name = "DashboardError";
    this.code = error.code;
    this.errors = error.errors;
    this.reason = error.reason;
    this.params = error.params;
  }
}
