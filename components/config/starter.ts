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
