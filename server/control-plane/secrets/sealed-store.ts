import { createHash, type X509Certificate } from "node:crypto";
import type { Sealer } from "../../ca/sealer.ts";
import {
  certificatesIn,
  isSealed,
  placeholderId,
  type SecretCertificate,
  type SecretSpec,
  type SecretStatus,
  sealedPlaceholder,
  secretEntries,
} from "../../config/kinds/secret.ts";
import { type ConfigObject, keyOf, type ResourceKey } from "../../config/object.ts";
import type { Commit, ConfigChange, ConfigStore, Write } from "../../config/store.ts";
import { type Told, told } from "../../contract/index.ts";
import { memo } from "../../lib/memo.ts";
import { invalid, type StatusError } from "../api/status-error.ts";

/** Where a value belongs: a copy of it under another name can't be opened. */
export const sealContext = ({ namespace, name }: Pick<ResourceKey, "namespace" | "name">, entry: string): string =>
  `Secret ${namespace}/${name} ${entry}`;

/**
 * A config store as everybody but the control plane's own mesh sees it: values of Secrets go in sealed, and come out as placeholders. A
 * placeholder that is written back means the value that it stood for, now or in the history, so that patches, undo and restore keep what they
 * can't see.
 */
export function sealedStore(inner: ConfigStore, sealer: Sealer): ConfigStore {
  return {
    get: async (key) => shownOrNone(await inner.get(key)),
    async list(query) {
      const { items, revision } = await inner.list(query);
      return { items: items.map(shown), revision };
    },
    async *watch(revision, signal) {
      for await (const commit of inner.watch(revision, signal)) yield shownCommit(commit);
    },
    history: async (query) => (await inner.history(query)).map(shownCommit),
    async commit(writes, author, options) {
      const sealed: Write[] = [];
      for (const write of writes) sealed.push(isSecretPut(write) ? await sealWrite(write, inner, sealer) : write);
      return shownCommit(await inner.commit(sealed, author, options));
    },
    revision: () => inner.revision(),
    check: () => inner.check(),
    close: () => inner.close(),
  };
}

type Put = Extract<Write, { op: "put" }>;
const isSecretPut = (write: Write): write is Put => write.op === "put" && write.object.kind === "Secret";

/** Where kubectl notes what it had applied: all of it. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

async function sealWrite(write: Put, inner: ConfigStore, sealer: Sealer): Promise<Put> {
  const key = keyOf(write.object);
  const { stringData, data = {}, ...spec } = write.object.spec as SecretSpec;
  const current = (await inner.get(key))?.spec as SecretSpec | undefined;
  const texts = Object.entries(stringData ?? {}).map(([entry, text]) => [entry, Buffer.from(text).toString("base64")]);
  const values = { ...data, ...(Object.fromEntries(texts) as Record<string, string>) };
  const sealed: Record<string, string> = {};
  for (const [entry, value] of Object.entries(values)) {
    sealed[entry] = await sealedValue(entry, value, { key, current, inner, sealer });
  }
  const status: SecretStatus = { certificates: certificatesOf(key, sealed, sealer) };
  const { metadata } = write.object;
  const annotations = metadata.annotations && withoutValues(metadata.annotations);
  return {
    ...write,
    object: {
      ...write.object,
      metadata: { ...metadata, ...(annotations && { annotations }) },
      spec: { ...spec, ...(Object.keys(sealed).length > 0 && { data: sealed }) },
      status: status as Record<string, unknown>,
    },
  };
}

interface Sealing {
  key: ResourceKey;
  current: SecretSpec | undefined;
  inner: ConfigStore;
  sealer: Sealer;
}

async function sealedValue(entry: string, value: string, { key, current, inner, sealer }: Sealing): Promise<string> {
  const context = sealContext(key, entry);
  const known = current?.data?.[entry];
  const id = placeholderId(value);
  if (id !== undefined) {
    if (known !== undefined && idOf(known) === id) return known;
    const past = (await inner.history({ key, limit: historyLimit })).flatMap(({ changes }) =>
      changes.flatMap(({ before, after }) => [before, after]),
    );
    const found = past
      .filter((object) => object?.kind === "Secret" && sameKey(keyOf(object), key))
      .flatMap((object) => (object?.spec as SecretSpec | undefined)?.data?.[entry] ?? [])
      .find((it) => idOf(it) === id);
    if (found !== undefined) return found;
    throw refused(key, entry, told("sealed-gone", {}));
  }
  if (isSealed(value)) {
    if (sealer.open(value, context) !== undefined) return value;
    throw refused(key, entry, told("sealed-elsewhere", {}));
  }
  const bytes = Buffer.from(value, "base64");
  // What says the same stays the same, so that applying a file again changes nothing.
  if (known !== undefined && sealer.open(known, context)?.equals(bytes)) return known;
  return sealer.seal(bytes, context);
}

const historyLimit = 200;

const sameKey = (a: ResourceKey, b: ResourceKey): boolean => a.namespace === b.namespace && a.name === b.name;

const refused = (key: ResourceKey, entry: string, why: Told): StatusError =>
  invalid({ plural: "secrets", group: "", kind: "Secret" }, key.name, [
    { path: `data[${JSON.stringify(entry)}]`, ...why },
  ]);

/** Of a sealed text, which says nothing of what is in it. */
const idOf = (sealed: string): string =>
  isSealed(sealed) ? createHash("sha256").update(sealed).digest("hex").slice(0, 12) : "";

function withoutValues(annotations: Readonly<Record<string, string>>): Record<string, string> {
  const { [lastApplied]: noted, ...rest } = annotations;
  if (noted === undefined) return rest;
  try {
    const document = JSON.parse(noted) as Record<string, unknown>;
    for (const field of ["data", "stringData"]) {
      const values = document[field];
      if (typeof values !== "object" || values === null) continue;
      document[field] = Object.fromEntries(Object.keys(values).map((entry) => [entry, sealedPlaceholder("")]));
    }
    return { ...rest, [lastApplied]: JSON.stringify(document) };
  } catch {
    return rest;
  }
}

/** The value of an entry as the control plane itself uses it; undefined: there is none, or it can't be opened. */
export function openEntry(object: ConfigObject, entry: string, sealer: Sealer | undefined): Buffer | undefined {
  const value = (object.spec as SecretSpec).data?.[entry];
  if (value !== undefined && isSealed(value)) return sealer?.open(value, sealContext(object.metadata, entry));
  // Files of a folder are as people wrote them.
  const text = (object.spec as SecretSpec).stringData?.[entry];
  return text !== undefined ? Buffer.from(text) : value === undefined ? undefined : Buffer.from(value, "base64");
}

function certificatesOf(key: ResourceKey, data: Readonly<Record<string, string>>, sealer: Sealer): SecretCertificate[] {
  return [...secretEntries.certificate, ...secretEntries.authorities].flatMap((entry) => {
    const value = data[entry];
    const pem = value === undefined ? undefined : sealer.open(value, sealContext(key, entry));
    return pem === undefined ? [] : certificatesIn(pem.toString(), () => undefined).map((it) => factsOf(entry, it));
  });
}

const factsOf = (entry: string, certificate: X509Certificate): SecretCertificate => ({
  entry,
  subject: (certificate.subject ?? "").replaceAll("\n", ", "),
  subjectAltNames: (certificate.subjectAltName ?? "").split(", ").filter((name) => name !== ""),
  issuer: (certificate.issuer ?? "").replaceAll("\n", ", "),
  serial: certificate.serialNumber,
  sha256: certificate.fingerprint256,
  notBefore: certificate.validFromDate.toISOString(),
  notAfter: certificate.validToDate.toISOString(),
});

const shownOrNone = (object: ConfigObject | undefined): ConfigObject | undefined => object && shown(object);

/** The same copy for the same object. */
function shown(object: ConfigObject): ConfigObject {
  if (object.kind !== "Secret") return object;
  return memo(object, "shown", [], () => {
    const { data, stringData, ...spec } = object.spec as SecretSpec;
    const names = Object.keys({ ...data, ...stringData });
    const values = Object.fromEntries(names.map((entry) => [entry, sealedPlaceholder(idOf(data?.[entry] ?? ""))]));
    const { annotations } = object.metadata;
    const metadata = annotations ? { ...object.metadata, annotations: withoutValues(annotations) } : object.metadata;
    return Object.freeze({ ...object, metadata, spec: { ...spec, ...(names.length > 0 && { data: values }) } });
  });
}

const shownCommit = (commit: Commit): Commit => {
  if (!commit.changes.some(({ key }) => key.kind === "Secret")) return commit;
  const changes = commit.changes.map((change): ConfigChange => {
    const { before, after } = change;
    return { ...change, ...(before && { before: shown(before) }), ...(after && { after: shown(after) }) };
  });
  return { ...commit, changes };
};
