/** Lines of comment that say what the object is for, then an object that any mesh takes: it is of a name that none has, and leans on no other. */
export const starter = (says: string): string => `${says.replaceAll(/^/gm, "# ")}
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: example-api
  namespace: default
spec:
  hosts:
    - api.example.com
  location: MESH_EXTERNAL
  resolution: DNS
  ports:
    - number: 80
      name: http
      protocol: HTTP
`;

/** A rule that nobody is troubled by: of a service of that name that fails more than one request in twenty. */
export const alertStarter = (says: string): string => `${says.replaceAll(/^/gm, "# ")}
apiVersion: limpid.dev/v1alpha1
kind: AlertRule
metadata:
  name: example-errors
  namespace: default
spec:
  service: example
  when:
    errors:
      above: 5
  window: 1m
  for: 2m
  severity: Critical
`;
