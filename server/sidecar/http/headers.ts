/** Headers as one flat array [name, value, …], names in lower case: no object per header, order and duplicates kept. */
export type FlatHeaders = string[];

/** The first value, or undefined. */
export function getHeader(headers: readonly string[], name: string): string | undefined {
  for (let i = 0; i < headers.length; i += 2) if (headers[i] === name) return headers[i + 1];
  return undefined;
}

/** All values joined with a comma, as Envoy's header matchers see them; undefined when absent. */
export function getJoined(headers: readonly string[], name: string): string | undefined {
  let joined: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) joined = joined === undefined ? headers[i + 1] : `${joined},${headers[i + 1]}`;
  }
  return joined;
}

/** Replaces the first occurrence and drops the others; appends when absent. */
export function setHeader(headers: FlatHeaders, name: string, value: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) {
      headers[i + 1] = value;
      removeFrom(headers, name, i + 2);
      return;
    }
  }
  headers.push(name, value);
}

export function removeHeader(headers: FlatHeaders, name: string): void {
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i] === name) {
      removeFrom(headers, name, i);
      return;
    }
  }
}

function removeFrom(headers: FlatHeaders, name: string, from: number): void {
  let kept = from;
  for (let i = from; i < headers.length; i += 2) {
    if (headers[i] === name) continue;
    headers[kept] = headers[i] as string;
    headers[kept + 1] = headers[i + 1] as string;
    kept += 2;
  }
  headers.length = kept;
}

/** The lines of a head, each ended with CRLF. A rope: it is flattened once, by the write. */
export function headerLines(headers: readonly string[]): string {
  let lines = "";
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return lines;
}

/** Text from configuration (any Unicode) as the byte string that heads are written in: UTF-8 bytes, one char each. */
export const toWire = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
