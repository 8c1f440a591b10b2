import { grpcStatusNames } from "../../../wire/grpc-status.ts";
import { grpcStatusFor, grpcStatusOf, isGrpc } from "../../http/grpc.ts";
import type { RequestRecord } from "../../record.ts";
import { type Operator, type Operators, plain } from "./operator.ts";

export const grpcOperators: Operators = {
  GRPC_STATUS: (form = "CAMEL_STRING") => grpcStatus(form),
  GRPC_STATUS_NUMBER: plain((record) => grpcNumber(record)),
};

function grpcStatus(form: string): Operator | undefined {
  switch (form) {
    case "NUMBER":
      return grpcNumber;
    case "CAMEL_STRING":
      return (record) => grpcName(record)?.camel;
    case "SNAKE_STRING":
      return (record) => grpcName(record)?.snake;
    default:
      return undefined;
  }
}

/** Of a call of gRPC: what it was told or, where it was told none, what its HTTP status means. */
export function grpcNumber(record: RequestRecord): number | undefined {
  const { requestHeaders, responseHeaders, responseTrailers, responseCode } = record;
  if (!isGrpc(requestHeaders)) return undefined;
  const status = grpcStatusOf(responseHeaders, responseTrailers);
  if (status !== undefined) return /^\d{1,9}$/.test(status) ? Number(status) : undefined;
  return responseCode === 0 ? undefined : grpcStatusFor(responseCode);
}

function grpcName(record: RequestRecord): { camel: string; snake: string } | undefined {
  const status = grpcNumber(record);
  if (status === undefined) return undefined;
  const snake = grpcStatusNames[status] ?? String(status);
  if (snake === "OK") return { camel: "OK", snake };
  // Envoy spells this one with one l in the one form.
  if (status === 1) return { camel: "Canceled", snake };
  return { camel: snake.toLowerCase().replace(/(^|_)(\w)/g, (_, __, letter: string) => letter.toUpperCase()), snake };
}
