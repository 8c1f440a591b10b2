/** What is said of a change that is valid and hardly meant, by a word each. See `told.ts`. */
export const warningsInEnglish = {
  "host-unseen-route":
    "the namespace {viewer} does not see {object}, which has the host {host}, by its exportTo; what goes there is answered 503",
  "host-unseen-connection":
    "the namespace {viewer} does not see {object}, which has the host {host}, by its exportTo; what goes there is closed at once",
  "host-unseen-rule":
    "the namespace {viewer} does not see {object}, which has the host {host}, by its exportTo; the rule is for nobody",
  "host-unseen-egress": "the namespace {viewer} does not see {object}, which has the host {host}, by its exportTo",
  "host-covered-route":
    "no Service or ServiceEntry has the host {host} itself: a route leads to {wildcard} by that name; what goes there is answered 503",
  "host-covered-connection":
    "no Service or ServiceEntry has the host {host} itself: a route leads to {wildcard} by that name; what goes there is closed at once",
  "host-covered-rule":
    "no Service or ServiceEntry has the host {host} itself: a route leads to {wildcard} by that name; the rule is for nobody",
  "host-covered-egress":
    "no Service or ServiceEntry has the host {host} itself: a route leads to {wildcard} by that name",
  "host-unknown-route": "no Service or ServiceEntry has the host {host}; what goes there is answered 503",
  "host-unknown-connection": "no Service or ServiceEntry has the host {host}; what goes there is closed at once",
  "host-unknown-rule": "no Service or ServiceEntry has the host {host}; the rule is for nobody",
  "host-unknown-egress": "no Service or ServiceEntry has the host {host}",
  "host-unknown-near-route":
    "no Service or ServiceEntry has the host {host}, did you mean {near}?; what goes there is answered 503",
  "host-unknown-near-connection":
    "no Service or ServiceEntry has the host {host}, did you mean {near}?; what goes there is closed at once",
  "host-unknown-near-rule":
    "no Service or ServiceEntry has the host {host}, did you mean {near}?; the rule is for nobody",
  "host-unknown-near-egress": "no Service or ServiceEntry has the host {host}, did you mean {near}?",
  "host-virtual":
    "no Service or ServiceEntry has the host {host}: its rules are met by calls to port 80 of that name only",
  "host-virtual-near":
    "no Service or ServiceEntry has the host {host}, did you mean {near}?; its rules are met by calls to port 80 of that name only",
  "rules-of-requests": "{host} has no port that speaks HTTP: no connection meets these rules; write them as tcp or tls",
  "rules-of-connections": "all ports of {host} speak HTTP: no request meets these rules; write them as http",
  "subset-missing": "no DestinationRule of {host} has the subset {subset}; what goes there is answered 503",
  "subset-missing-connection":
    "no DestinationRule of {host} has the subset {subset}; what goes there is closed at once",
  "subset-missing-near":
    "no DestinationRule of {host} has the subset {subset}, did you mean {near}?; what goes there is answered 503",
  "subset-missing-near-connection":
    "no DestinationRule of {host} has the subset {subset}, did you mean {near}?; what goes there is closed at once",
  "subset-empty": "no endpoint of {host} has the labels of subset {subset}; what goes there is answered 503",
  "subset-empty-connection":
    "no endpoint of {host} has the labels of subset {subset}; what goes there is closed at once",
  "subset-nobody": "no endpoint of {host} has the labels {labels}: nobody is in the subset {subset}",
  "gateway-missing": "there is no Gateway {gateway}; what comes there is answered 404",
  "gateway-missing-near": "there is no Gateway {gateway}, did you mean {near}?; what comes there is answered 404",
  "gateway-closed": "no server of Gateway {gateway} lets in {hosts} of the namespace {namespace}: it has {offered}",
  "gateway-idle": "no gateway proxy that is connected has the labels {labels}: nobody serves it",
  "selects-all":
    "has no labels: the rule is for every workload of the namespace {namespace}, before those without a selector",
  "selects-here": "does not reach {other}: a workloadSelector selects in the namespace {namespace} alone",
  "selects-without":
    "lacks {subsets} of DestinationRule {object}, to which routes send: for workloads that are selected, what goes to these subsets of {host} is answered 503",
  "delegate-missing":
    "there is no VirtualService {object} to delegate to; requests of this rule go on to the rules after it",
  "delegate-missing-near":
    "there is no VirtualService {object} to delegate to, did you mean {near}?; requests of this rule go on to the rules after it",
  "delegate-hosts":
    "VirtualService {object} has hosts, and only one without is a delegate; requests of this rule go on to the rules after it",
  "delegate-unexported":
    "VirtualService {object} is not exported to the namespace {namespace}; requests of this rule go on to the rules after it",
  "delegate-contradicted":
    "{rule} of the delegate {object} asks for what this does not let through: it is left out. A delegate's matches must be narrower than the root's",
  "delegate-answered":
    "answers for every rule of the delegate that does not redirect: nothing goes to the delegate's destinations",
  "delegate-of-nobody": "has no hosts, and no VirtualService delegates to it: nothing comes of its rules",
  "delegate-unseen":
    "VirtualService {object} delegates to this one, and its namespace {namespace} does not see it: nothing comes of that",
  "match-contradicts":
    "{rule} of VirtualService {object}, which delegates to this one, does not let this through: the rule is left out there",
  "rule-after-all": "is never reached: {rule} takes everything",
  "rules-after-all": "is never reached, nor are the {count} after it: {rule} takes everything",
  "rule-twin": "is never reached: {rule} has the same match",
  "rule-prefixed": "is never reached: {rule} takes every path with the prefix {prefix}",
  "match-twin": "has no effect: {rule} has the same match",
  "match-prefixed": "has no effect: {rule} takes every path with the prefix {prefix}",
  "rival-that-older":
    "VirtualService {object} has the host {host}, too; sidecars follow that one, the older of the two",
  "rival-that-older-in":
    "VirtualService {object} has the host {host}, too; sidecars of the namespace {viewer} follow that one, the older of the two",
  "rival-that-nearer":
    "VirtualService {object} has the host {host}, too; sidecars follow that one, the nearer of the two by exportTo",
  "rival-that-nearer-in":
    "VirtualService {object} has the host {host}, too; sidecars of the namespace {viewer} follow that one, the nearer of the two by exportTo",
  "policy-that": "DestinationRule {name} has a policy for {host}, too; that one's counts",
  "subset-that": "DestinationRule {name} has a subset {subset} of {host}, too; that one's counts",
  "selector-that": "{object} has the same labels: that one, the older, is in force",
  "whole-that": "{object} has no selector either: that one, the older, is in force",
  "rival-this-older":
    "VirtualService {object} has the host {host}, too; sidecars follow this one, the older of the two",
  "rival-this-older-in":
    "VirtualService {object} has the host {host}, too; sidecars of the namespace {viewer} follow this one, the older of the two",
  "rival-this-nearer":
    "VirtualService {object} has the host {host}, too; sidecars follow this one, the nearer of the two by exportTo",
  "rival-this-nearer-in":
    "VirtualService {object} has the host {host}, too; sidecars of the namespace {viewer} follow this one, the nearer of the two by exportTo",
  "policy-this": "DestinationRule {name} has a policy for {host}, too; this one's counts",
  "subset-this": "DestinationRule {name} has a subset {subset} of {host}, too; this one's counts",
  "selector-this": "{object} has the same labels: this one, the older, is in force",
  "whole-this": "{object} has no selector either: this one, the older, is in force",
  "selector-nobody": "no workload has the labels {labels}: it is for nobody",
  "selector-nobody-in": "no workload of the namespace {namespace} has the labels {labels}: it is for nobody",
  "egress-twice": "{entry} is there twice",
  "egress-all": "lets everything be called: the other hosts say nothing",
  "egress-elsewhere": "{host} is of the namespace {namespace}",
  "subset-missing-idle":
    "no DestinationRule of {host} has the subset {subset}; its weight is 0, so that nothing goes there yet",
  "subset-missing-near-idle":
    "no DestinationRule of {host} has the subset {subset}, did you mean {near}?; its weight is 0, so that nothing goes there yet",
  "subset-empty-idle":
    "no endpoint of {host} has the labels of subset {subset}; its weight is 0, so that nothing goes there yet",
  "subset-missing-mirror": "no DestinationRule of {host} has the subset {subset}; what is mirrored is lost",
  "subset-missing-near-mirror":
    "no DestinationRule of {host} has the subset {subset}, did you mean {near}?; what is mirrored is lost",
  "subset-empty-mirror": "no endpoint of {host} has the labels of subset {subset}; what is mirrored is lost",
  bereaved: "VirtualService {object} needs what goes: {path}",
  "route-bereaved": "VirtualService {object} needs what goes: {path}, which is answered 503",
  "gateway-bereaved": "VirtualService {object} needs what goes: {path}, where what comes is answered 404",
  "old-form": 'is an old form of "{form}"',
  "sni-address": "a client never asks for an address by SNI (RFC 6066, section 3): this matches nothing",
  "deprecated-use": "is deprecated: use {instead}",
  "deprecated-without-effect": "is deprecated and has no effect: use {instead}",
  "delays-nothing": "has no fixedDelay, and so delays nothing",
  "hits-nothing": "has no percentage, and so hits nothing",
  "aborts-nothing": "has no status, and so aborts nothing",
  "body-large": "is large: every proxy holds it, and gets it with every change of the rules",
  "relative-path": "is relative to the folder that each proxy was started in: an absolute path is safer",
  "star-label": 'Istio takes "*" for a whole label only, as in "*.example.com"',
  "jwk-secret": "keys[{index}] holds a secret: only public keys are needed here",
  "jwks-plain": "is fetched in plain text from outside of the mesh: whoever stands between can sign tokens",
  "issuer-twice": "is that of {other} too: a token need be good for one only",
  "provider-missing": "the MeshConfig has no extensionProvider {name}, nor any other: what matches is refused",
  "provider-missing-known": "the MeshConfig has no extensionProvider {name} (it has {known}): what matches is refused",
  "denies-tcp": "says nothing that TCP shows, and so denies every connection to TCP ports: name the ports",
  "principal-foreign":
    "{principal} is of another trust domain: certificates of this mesh are of {own}, and of those that trustDomainAliases of the MeshConfig names",
  "probes-shut-out":
    "nothing lets in the probes that a HealthCheck has sent to {service}: its endpoints count as unhealthy. Allow GET {path} from the principals cluster.local/*",
  "probes-shut-out-by":
    "no rule of {names} lets probes in: endpoints of {service} would count as unhealthy. Allow GET {path} from the principals cluster.local/*",
  "trust-domain-other":
    "the mesh is called {own}: LIMPID_TRUST_DOMAIN={name}, or --trust-domain, calls it otherwise when it starts, and this changes nothing",
  "target-missing": "there is no {object}: it is for nobody",
  "provider-host": "no Service or ServiceEntry has the host {host}: what it would be asked about is refused",
  "provider-host-near":
    "no Service or ServiceEntry has the host {host}, did you mean {near}?: what it would be asked about is refused",
  "first-provider": "the first provider counts; this one has no effect",
  "own-provider": "{name} is the mesh's own collector, to which this goes anyway: naming it has no effect",
  "group-unselected":
    "no Service or ServiceEntry of {namespace} selects workloads with these labels: they get no requests",
  "probe-port": "{port} is none of the workload's ports ({ports})",
  "image-type": "proxies here are no images of containers: it has no effect",
  "selector-empty": "has no labels: it is for nobody; leave it out for all of the namespace",
  "telemetry-provider": "there is no provider {name} for {signal}: it has no effect",
  "telemetry-provider-known": "there is no provider {name} for {signal} (there are {known}): it has no effect",
  "telemetry-host": "no Service or ServiceEntry has the host {host}: nothing is sent there",
  "telemetry-host-near": "no Service or ServiceEntry has the host {host}, did you mean {near}?: nothing is sent there",
  "telemetry-port": "{host} has no port {port}: nothing is sent there",
  "traces-elsewhere": "spans go to {name} alone: Limpid's own traces lack these calls",
  "provider-envoys":
    "{name} is for Envoys, whose spans Limpid's own traces lack; bundled sidecars go on telling the mesh's own collector",
  "reported-at-end": "has no effect: a connection is counted when it is over",
  "label-by-request":
    "goes by the request: bundled sidecars show the label {tag} in their own metrics, the collector's metrics and Envoys have none",
  "metric-uncounted": "{metric} is not counted here: it has no effect",
  "limits-nothing": "has no rate_limit and no descriptors: it limits nothing",
  unlimited: "is unlimited: unit and requests_per_unit have no effect",
  "refuses-all": "is 0: every request is refused",
  "limit-that":
    "RateLimitConfig {object} has a limit for it in the domain {domain}, too; that one's, the older, counts",
  "limit-this":
    "RateLimitConfig {object} has a limit for it in the domain {domain}, too; this one's, the older, counts",
  "layer-that": "RuntimeLayer {object} sets it for the same workloads, too; that one's, the older, counts",
  "layer-this": "RuntimeLayer {object} sets it for the same workloads, too; this one's, the older, counts",
  "selector-everybody": "has no labels: it stands for every workload of the namespace",
  "hosts-alike": "nothing tells the {count} hosts apart on TCP port {port}: give each an entry of its own",
  "endpoints-none": "there are none with resolution STATIC: calls are answered 503",
  "address-unset": "is unset with network {network}: nobody reaches it",
  "tcp-port-shared":
    "{host} has the TCP port {port}, too, and nothing else tells them apart: the older of the two gets the connections",
  "certificate-ended": "the certificate of {subject} ended on {when}",
  "certificate-ends": "the certificate of {subject} ends on {when}",
  "secret-missing": "there is no Secret {secret} with a certificate and its key: nobody is served here",
  "certificate-for-nobody": "its certificate is for no host, not for {hosts}: browsers will refuse it",
  "certificate-for-others": "its certificate is for {named}, not for {hosts}: browsers will refuse it",
  "authorities-missing":
    "there is no ca.crt or cacert in Secret {secret}, nor a Secret {other}: nobody's certificate could be checked",
  "version-nobody": "no workload of {name} has the version {version}",
  "stops-nothing": "is 0: no share of failures stops it",
  "canary-rival": "Canary {object} moves its weights, too: each pauses at the other's steps",
} as const;
