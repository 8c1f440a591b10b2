import { HttpError } from "../telemetry/http-error.ts";
import type { HttpAnswer } from "../telemetry/http-server.ts";

export const json = (value: unknown): HttpAnswer => ({ type: "application/json", body: JSON.stringify(value) });

/** Throws HttpError 400 where the parameter is missing. */
export function required(query: URLSearchParams, name: string): string {
  const value = query.get(name);
  if (!value) throw new HttpError(400, `parameter ${name} is required`);
  return value;
}

/** A whole number of at least 0; undefined without the parameter. Throws HttpError 400. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (!text) return undefined;
  if (!/^\d{1,16}$/.test(text)) throw new HttpError(400, `parameter ${name}=${text}: must be a whole number`);
  return Number(text);
}

/** Traces of one answer. Throws HttpError 400. */
export function limitOf(query: URLSearchParams, fallback: number): number {
  const limit = wholeNumber(query, "limit") ?? fallback;
  if (limit < 1 || limit > maxTraces) throw new HttpError(400, `parameter limit=${limit}: must be 1 to ${maxTraces}`);
  return limit;
}

/** Jaeger's page asks for as many at the most. */
const maxTraces = 1500;
