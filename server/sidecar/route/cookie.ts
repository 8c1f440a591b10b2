export interface NewCookie {
  readonly name: string;
  readonly value: string;
  /** 0: until the browser is closed. */
  readonly maxAgeSeconds: bigint;
  /** "": that of the request. */
  readonly path: string;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

/** A `set-cookie` value, as Envoy writes it. RFC 6265, section 4.1.1 */
export function setCookie({ name, value, maxAgeSeconds, path, attributes }: NewCookie): string {
  let text = `${name}="${value}"`;
  if (maxAgeSeconds !== 0n) text += `; Max-Age=${maxAgeSeconds}`;
  if (path !== "") text += `; Path=${path}`;
  for (const attribute of attributes) {
    text += attribute.value === "" ? `; ${attribute.name}` : `; ${attribute.name}=${attribute.value}`;
  }
  return `${text}; HttpOnly`;
}

/** The first cookie of a name, without quotes around its value; "" without any. RFC 6265, section 5.4 */
export function cookieValue(headers: readonly string[], name: string): string {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] !== "cookie") continue;
    for (const pair of (headers[i + 1] ?? "").split(";")) {
      const equals = pair.indexOf("=");
      if (equals === -1 || pair.slice(0, equals).replace(/^ +/, "") !== name) continue;
      const value = pair.slice(equals + 1);
      return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
    }
  }
  return "";
}
