/** Of a mesh that is called nothing else, as in Istio. */
const usual = "cluster.local";

/** Capital letters are no part of one. https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md#21-trust-domain */
const form = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** What the mesh's identities are of, by LIMPID_TRUST_DOMAIN. Throws one sentence for what is no name of one. */
export function trustDomainOf({ LIMPID_TRUST_DOMAIN: name }: Readonly<Record<string, string | undefined>>): string {
  if (name === undefined || name === "") return usual;
  if (form.test(name)) return name;
  throw new Error(
    `LIMPID_TRUST_DOMAIN is ${JSON.stringify(name)}: must be lower case letters, digits, '-' and '.', such as mesh.example.com`,
  );
}
