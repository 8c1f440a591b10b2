/** What is said of a change that is valid and hardly meant, by a word each. See `told.ts`. */
export const warningsInEnglish = {
  "host-unseen-route":
    "the namespace {viewer} does not see {object}, which has the host {host}, by its exportTo; what goes there is answered 503",
  "host-unseen-rule":
    "the namespace {viewer} does not see {object}, which has the host {host}, by its exportTo; the rule is for nobody",
  "host-unseen-egress": "the namespace {viewer} does not see {object}, which has the host {host}, by its exportTo",
  "host-covered-route":
    "no Service or ServiceEntry has the host {host} itself: a route leads to {wildcard} by that name; what goes there is answered 503",
  "host-covered-rule":
    "no Service or ServiceEntry has the host {host} itself: a route leads to {wildcard} by that name; the rule is for nobody",
  "host-covered-egress":
    "no Service or ServiceEntry has the host {host} itself: a route leads to {wildcard} by that name",
  "host-unknown-route": "no Service or ServiceEntry has the host {host}; what goes there is answered 503",
  "host-unknown-rule": "no Service or ServiceEntry has the host {host}; the rule is for nobody",
  "host-unknown-egress": "no Service or ServiceEntry has the host {host}",
  "host-unknown-near-route":
    "no Service or ServiceEntry has the host {host}, did you mean {near}?; what goes there is answered 503",
  "host-unknown-near-rule":
    "no Service or ServiceEntry has the host {host}, did you mean {near}?; the rule is for nobody",
  "host-unknown-near-egress": "no Service or ServiceEntry has the host {host}, did you mean {near}?",
  "subset-missing": "no DestinationRule of {host} has the subset {subset}; what goes there is answered 503",
  "subset-missing-near":
    "no DestinationRule of {host} has the subset {subset}, did you mean {near}?; what goes there is answered 503",
  "subset-empty": "no endpoint of {host} has the labels of subset {subset}; what goes there is answered 503",
  "subset-nobody": "no endpoint of {host} has the labels {labels}: nobody is in the subset {subset}",
  "gateway-missing": "there is no Gateway {gateway}; what comes there is answered 404",
  "gateway-missing-near": "there is no Gateway {gateway}, did you mean {near}?; what comes there is answered 404",
  "gateway-closed": "no server of Gateway {gateway} lets in {hosts} of the namespace {namespace}: it has {offered}",
  "gateway-idle": "no gateway proxy that is connected has the labels {labels}: nobody serves it",
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
} as const;
