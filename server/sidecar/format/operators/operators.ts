import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { at } from "../../config/problems.ts";
import { type RequestRecord, ResponseFlag } from "../../record.ts";
import { longFlags, shortFlags } from "../../response-flags.ts";
import { addressOperators } from "./addresses.ts";
import { cel, typedCel } from "./cel/cel.ts";
import { coalesce } from "./coalesce.ts";
import { grpcOperators } from "./grpc.ts";
import { headerOperators } from "./headers.ts";
import { metadataOperators } from "./metadata.ts";
import { needs, type Operator, type Operators, plain, some } from "./operator.ts";
import { timeOperators } from "./times.ts";
import { tlsOperators } from "./tls.ts";

/** Finds and prepares an operator. Throws an Error that names what is not supported. */
export function compileOperator(name: string, argument: string | undefined): Operator {
  const operator = operators[name]?.(argument);
  if (operator === undefined) {
    throw new Error(`%${name}${argument === undefined ? "" : `(${argument})`}% is not supported`);
  }
  return operator;
}

const machine = hostname();

/** Of a request its id; of a connection one that is made when it is asked for. */
function streamId(record: RequestRecord): string {
  if (record.requestId !== "") return record.requestId;
  const known = streamIds.get(record) ?? randomUUID();
  streamIds.set(record, known);
  return known;
}

const streamIds = new WeakMap<RequestRecord, string>();

/** Whether the cluster that a request was to go to is there. */
const known = ({ responseFlags }: RequestRecord): boolean => (responseFlags & ResponseFlag.noClusterFound) === 0;

const underscored = (text: string): string | undefined => some(text.replaceAll(" ", "_"));

// https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
const operators: Operators = {
  ...addressOperators,
  ...grpcOperators,
  ...headerOperators,
  ...metadataOperators,
  ...timeOperators,
  ...tlsOperators,
  CEL: needs((argument) => at("%CEL%", () => cel(argument, compileOperator))),
  TYPED_CEL: needs((argument) => at("%TYPED_CEL%", () => typedCel(argument, compileOperator))),
  COALESCE: needs((argument) => at("%COALESCE%", () => coalesce(argument, compileOperator))),
  HOSTNAME: plain(() => machine),
  ENVIRONMENT: needs((argument) => {
    const value = process.env[argument];
    return () => value ?? "-";
  }),
  PROTOCOL: plain(({ protocol }) => some(protocol)),
  UPSTREAM_PROTOCOL: plain(({ upstreamProtocol }) => some(upstreamProtocol)),
  RESPONSE_CODE: plain(({ responseCode }) => responseCode),
  RESPONSE_CODE_DETAILS: (argument) => {
    if (argument === "ALLOW_WHITESPACES") return ({ responseCodeDetails }) => some(responseCodeDetails);
    return argument === undefined ? ({ responseCodeDetails }) => underscored(responseCodeDetails) : undefined;
  },
  CONNECTION_TERMINATION_DETAILS: plain(({ connectionTerminationDetails }) => some(connectionTerminationDetails)),
  // Only what rewrites answers of the proxy knows it.
  LOCAL_REPLY_BODY: plain(() => ""),
  RESPONSE_FLAGS: plain(({ responseFlags }) => shortFlags(responseFlags)),
  RESPONSE_FLAGS_LONG: plain(({ responseFlags }) => longFlags(responseFlags)),
  CUSTOM_FLAGS: plain(() => ""),
  BYTES_RECEIVED: plain(({ requestBodyBytes }) => requestBodyBytes),
  BYTES_SENT: plain(({ responseBodyBytes }) => responseBodyBytes),
  // Of HTTP/3.
  BYTES_RETRANSMITTED: plain(() => 0),
  PACKETS_RETRANSMITTED: plain(() => 0),
  UPSTREAM_CLUSTER: plain((record) => (known(record) ? some(record.upstreamCluster) : undefined)),
  UPSTREAM_CLUSTER_RAW: plain((record) => (known(record) ? some(record.routedCluster) : undefined)),
  UPSTREAM_TRANSPORT_FAILURE_REASON: plain((record) => underscored(record.upstreamTransportFailureReason)),
  UPSTREAM_REQUEST_ATTEMPT_COUNT: plain((record) => record.upstreamAttempts),
  ROUTE_NAME: plain((record) => some(record.routeName)),
  // There are none.
  VIRTUAL_CLUSTER_NAME: plain(() => undefined),
  FILTER_CHAIN_NAME: plain(({ place }) => some(place?.chainName)),
  ACCESS_LOG_TYPE: plain(({ ofListener, protocol }) => {
    if (ofListener) return "NotSet";
    return protocol === "" ? "TcpConnectionEnd" : "DownstreamEnd";
  }),
  STREAM_ID: plain(streamId),
  UNIQUE_ID: plain(() => randomUUID()),
  TRACE_ID: plain((record) => some(record.traceId)),
  SPAN_ID: plain((record) => some(record.spanId)),
};
