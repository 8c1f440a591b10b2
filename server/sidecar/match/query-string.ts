/** The first parameter of a name, without percent-encoding; undefined: there is none. */
export function queryValue(path: string, name: string): string | undefined {
  const pair = pairsOf(path).find((each) => decoded(keyOf(each)) === name);
  if (pair === undefined) return undefined;
  const equals = pair.indexOf("=");
  return equals === -1 ? "" : decoded(pair.slice(equals + 1));
}

/** A path without the parameters of a name; the others stay as they are. */
export function withoutQueryValue(path: string, name: string): string {
  const question = path.indexOf("?");
  if (question === -1) return path;
  const rest = pairsOf(path).filter((pair) => decoded(keyOf(pair)) !== name);
  return rest.length === 0 ? path.slice(0, question) : `${path.slice(0, question)}?${rest.join("&")}`;
}

function pairsOf(path: string): string[] {
  const question = path.indexOf("?");
  return question === -1 ? [] : path.slice(question + 1).split("&");
}

const keyOf = (pair: string): string => pair.split("=", 1)[0] ?? "";

/** What is no encoding stays as it is. */
const decoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
