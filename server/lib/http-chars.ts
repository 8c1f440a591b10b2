/** Character classes of RFC 9110/9112 as byte tables: one load per byte on the parsing path. */

/** `tchar` of RFC 9110, 5.6.2: 1 allowed, 2 allowed and upper case (field names are put in lower case), 0 refused. */
export const tokenChars = table((code) => {
  if (code >= 0x41 && code <= 0x5a) return 2;
  return /[!#$%&'*+\-.^_`|~0-9a-z]/.test(String.fromCharCode(code)) ? 1 : 0;
});

/** `field-vchar`, SP and HTAB of RFC 9110, 5.5. Other control characters are refused: they are how messages get split. */
export const valueChars = table((code) => (code === 0x09 || (code >= 0x20 && code !== 0x7f) ? 1 : 0));

/** What may stand in a request target: visible ASCII without `#`, since a fragment never travels (RFC 9110, 4.2.5; Envoy refuses it too). */
export const targetChars = table((code) => (code > 0x20 && code < 0x7f && code !== 0x23 ? 1 : 0));

/** `uri-host [":" port]` of RFC 3986: no user information, no delimiters of other parts. */
export const authorityChars = table((code) =>
  /[A-Za-z0-9\-._~!$&'()*+,;=:%[\]]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** The value of a hexadecimal digit, or 255. */
export const hexValues = table((code) => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : 255;
});

function table(classify: (code: number) => number): Uint8Array {
  const bytes = new Uint8Array(256);
  for (let code = 0; code < 256; code++) bytes[code] = classify(code);
  return bytes;
}

export const isAuthority = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (authorityChars[text.charCodeAt(i)] !== 1) return false;
  return text.length > 0;
};

/** In lower case. */
export const isHeaderName = (text: string): boolean => text !== "" && every(text, tokenChars);

export const isHeaderValue = (text: string): boolean => every(text, valueChars);

export const isTarget = (text: string): boolean => text.startsWith("/") && every(text, targetChars);

function every(text: string, allowed: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (allowed[text.charCodeAt(i)] !== 1) return false;
  return true;
}
