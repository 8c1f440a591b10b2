/** Some calls fail, and those of one service go in plain text. */
export const unevenTraffic = `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: details, namespace: default }
spec:
  selector: { matchLabels: { app: details } }
  mtls: { mode: DISABLE }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: details, namespace: default }
spec:
  hosts: [details]
  http:
    - fault:
        abort: { httpStatus: 503, percentage: { value: 5 } }
      route: [{ destination: { host: details } }]
`;

/** A change that every proxy which calls reviews is sent. */
export const weights = (v1: number): string => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  http:
    - route:
        - { destination: { host: reviews, subset: v1 }, weight: ${v1} }
        - { destination: { host: reviews, subset: v2 }, weight: ${100 - v1} }
`;
