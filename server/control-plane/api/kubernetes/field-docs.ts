import { isRecord } from "../body.ts";

type Schema = Record<string, unknown>;

/**
 * What `kubectl explain` says of fields whose own schema says nothing: by kind and whole path, else by the last two names, else by the last.
 * https://istio.io/latest/docs/reference/config/networking/
 */
const docs: Readonly<Record<string, string>> = {
  exact: "The whole value, byte for byte.",
  prefix: "What the value begins with.",
  regex: "An RE2 expression that the whole value must match.",
  exportTo: 'Namespaces that may use this: "." for its own, "*" for all, which is the default.',
  protocol: "HTTP, HTTP2, GRPC, TCP, TLS, HTTPS and the like.",
  network: "The network that the address is in, for meshes of several.",
  serviceAccount: "The account that the workload runs under.",
  labels: "Labels of the workload; subsets and selectors go by them.",

  "match.scheme": "Of the URI: http or https.",
  "match.method": "The HTTP method.",
  "match.queryParams": "By parameter; one without a value is matched by an exact empty string.",
  "match.sourceNamespace": "Namespace of the calling workload.",
  "match.gateways": 'Gateways that the rule is for; "mesh" stands for the sidecars.',
  "match.ignoreUriCase": "Compare the URI without regard to case; exact and prefix only.",
  "http.redirect": "Answer with a redirect and send nothing on.",
  "redirect.uri": "The new path.",
  "redirect.prefixRewrite": "Stands in for the prefix that was matched.",
  "redirect.authority": "The new host.",
  "redirect.port": "The new port.",
  "redirect.derivePort": "Take the port from the request or from the scheme.",
  "redirect.scheme": "The new scheme.",
  "redirect.redirectCode": "The status; 301 when unset.",
  "http.directResponse": "Answer at once and send nothing on.",
  "directResponse.status": "The status of the answer.",
  "directResponse.body": "What the answer says.",
  "body.string": "As text.",
  "body.bytes": "As bytes, in base64.",
  "http.rewrite": "Changes of path or host before the request goes on.",
  "rewrite.authority": "The new Host.",
  "rewrite.uriRegexRewrite": "The path, by a regular expression.",
  "uriRegexRewrite.match": "An RE2 expression of what is replaced.",
  "http.retries": "When a failed request is tried again; twice on connection failures when unset.",
  "retries.perTryTimeout": "How long each try may take; as long as the request when unset.",
  "retries.retryOn": "Envoy's conditions, divided by commas, such as 5xx,reset.",
  "retries.retryRemoteLocalities": "Retries may go to other localities.",
  "retries.retryIgnorePreviousHosts": "Retries choose among all hosts, those that failed, too.",
  "http.fault": "Faults that are injected, to see what they do to callers.",
  "fault.delay": "A wait before the request goes on.",
  "delay.fixedDelay": "How long, such as 5s.",
  "delay.percentage": "Of how many requests.",
  "fault.abort": "An error instead of an answer.",
  "abort.httpStatus": "The status of the error.",
  "abort.grpcStatus": "The gRPC status of the error, by its name.",
  "abort.percentage": "Of how many requests.",
  "percentage.value": "From 0 to 100.",
  "http.mirror": "Where a copy of each request goes; the answer to it is thrown away.",
  "mirror.port": "Which port of the host; needed when it has several.",
  "http.mirrors": "As mirror, several of them.",
  "mirrors.destination": "Where a copy of each request goes.",
  "mirrors.percentage": "Of how many requests; of all when unset.",
  "http.mirrorPercentage": "Of how many requests a copy is sent; of all when unset.",
  "mirrorPercentage.value": "From 0 to 100.",
  "http.headers": "Headers to change, whichever destination it is.",
  "http.corsPolicy": "Which web pages of other origins may call.",
  "corsPolicy.allowOrigins": "Origins of the pages.",
  "corsPolicy.allowMethods": "Methods they may use.",
  "corsPolicy.allowHeaders": "Request headers they may set.",
  "corsPolicy.exposeHeaders": "Response headers they may read.",
  "corsPolicy.maxAge": "How long a browser may remember the answer to a preflight.",
  "corsPolicy.allowCredentials": "Whether they may send cookies and the like.",
  "corsPolicy.unmatchedPreflights": "Whether preflights from other origins go on to the service.",
  "route.destination": "The service, and the subset of it.",
  "route.headers": "Headers to change for this destination alone.",
  "destination.port": "Which port of the host; needed when it has several.",
  "port.number": "The port's number.",
  "headers.request": "Of the request, before it goes on.",
  "headers.response": "Of the response, before it goes back.",
  "request.remove": "Names of headers to drop.",
  "response.remove": "Names of headers to drop.",

  trafficPolicy: "Balancing, connections and outlier detection for calls of the host.",
  loadBalancer: "How an endpoint is chosen.",
  connectionPool: "Bounds of connections and requests: circuit breakers.",
  outlierDetection: "When an endpoint that fails is left out for a while.",
  tls: "TLS of connections.",
  "connectionPool.tcp": "Of every connection.",
  "connectionPool.http": "Of HTTP.",
  "tls.mode": "DISABLE, SIMPLE, MUTUAL or ISTIO_MUTUAL.",
  "tcp.maxConnectionDuration": "How long a connection lives at most.",
  "tcp.tcpKeepalive": "Probes on quiet connections.",
  "tcpKeepalive.probes": "Probes without an answer after which a connection is dead.",
  "tcpKeepalive.time": "Quiet time before the first probe.",
  "tcpKeepalive.interval": "Between two probes.",
  "http.h2UpgradePolicy": "Whether connections are upgraded to HTTP/2.",
  "outlierDetection.splitExternalLocalOriginErrors": "Count failures to connect apart from bad answers.",
  "outlierDetection.consecutiveLocalOriginFailures": "Ejects after so many failures to connect in a row; 5 when unset.",
  "portLevelSettings.port": "The port that these settings are for.",
  "subsets.name": "What routes call the subset.",

  "Gateway spec.servers": "Ports that the gateway listens on, and the hosts it serves there.",
  "servers.port": "Where it listens, and what is spoken there.",
  "servers.name": "For people.",
  "servers.bind": "The address it listens on.",
  "port.name": "The port's name.",

  "ServiceEntry spec.hosts": "Names of the service.",
  "ServiceEntry spec.addresses": "Addresses of the service, or blocks of them.",
  "ServiceEntry spec.ports": "Ports of the service; told apart by name.",
  "ServiceEntry spec.endpoints": "Where the service is served.",
  "ServiceEntry spec.workloadSelector": "Workloads of the mesh that serve it, in place of endpoints.",
  "ServiceEntry spec.subjectAltNames": "Names that the server's certificate must have.",
  "endpoints.address": "An address, or a host name with DNS resolution.",
  "ports.number": "The port's number.",
  "ports.name": "The port's name; routes and policies may go by it.",
  "ports.targetPort": "The port of the endpoint; the port's own number when unset.",
  "WorkloadEntry spec.address": "An address, or a host name.",

  "Service spec.ports": "Ports of the service; told apart by port and protocol.",
  "Service spec.type": "Taken as it is; the mesh reaches every type alike.",
  "Service spec.clusterIP": "The service's address; None for one without.",
  "Service spec.clusterIPs": "The service's addresses.",
  "ports.port": "The port's number.",
  "Service spec.ipFamilies": "Taken as it is.",
  "Service spec.ipFamilyPolicy": "Taken as it is.",
  "Service spec.sessionAffinity": "None: use a DestinationRule's load balancer.",
  "Service spec.internalTrafficPolicy": "Cluster: every endpoint is used.",
  "Service spec.externalTrafficPolicy": "Taken as it is; gateways are workloads of their own.",
  "Service spec.publishNotReadyAddresses": "Taken as it is.",
  "Service spec.allocateLoadBalancerNodePorts": "Taken as it is.",
  "Service spec.loadBalancerClass": "Taken as it is.",
  "Service spec.healthCheckNodePort": "Taken as it is.",
  "ports.nodePort": "Taken as it is; a mesh without nodes has no use for it.",
};

/** The schema with a description for every field that there is one for. */
export function withDocs(kind: string, schema: Schema, path: readonly string[]): Schema {
  const result: Schema = { ...schema };
  if (isRecord(schema.properties)) {
    result.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => {
        if (!isRecord(field)) return [name, field];
        const at = [...path, name];
        const text = field.description ?? docs[`${kind} ${at.join(".")}`] ?? docs[at.slice(-2).join(".")] ?? docs[name];
        return [name, withDocs(kind, text === undefined ? field : { description: text, ...field }, at)];
      }),
    );
  }
  for (const inner of ["items", "additionalProperties"]) {
    if (isRecord(schema[inner])) result[inner] = withDocs(kind, schema[inner], path);
  }
  return result;
}
