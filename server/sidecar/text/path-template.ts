/** Characters that a segment of a path may have, as far as templates are concerned: a literal `*` is none of them. */
const literal = "a-zA-Z0-9\\-._~%!$&'()+,;:@=";
const literalSegment = new RegExp(`^[${literal}]+$`);

/**
 * Whether a path, without its query, is of the form of Envoy's URI template: `*` stands for one segment, `**` for any number of them, none too; `{name}` and
 * `{name=*}` are the same with a name that is of no use here. Throws an Error that says what is wrong.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/path/match/uri_template/v3/uri_template_match.proto
 */
export function compilePathTemplate(template: string): (path: string) => boolean {
  if (!template.startsWith("/")) throw new Error(`${JSON.stringify(template)} does not begin with a slash`);
  let isOpen = false;
  const segments = template
    .slice(1)
    .split("/")
    .map((segment, index, all) => {
      const operator = /^\{[a-zA-Z][a-zA-Z0-9_]*(?:=(\*{1,2}))?\}$/.exec(segment);
      const pattern = operator ? (operator[1] ?? "*") : segment;
      if (pattern === "*" || pattern === "**") {
        if (isOpen) throw new Error(`${JSON.stringify(template)} has an operator behind **`);
        isOpen = pattern === "**";
        return pattern === "*" ? `[${literal}]+` : `[/${literal}]*`;
      }
      if (!literalSegment.test(segment) && !(segment === "" && index === all.length - 1)) {
        throw new Error(
          `${JSON.stringify(segment)} in ${JSON.stringify(template)} is neither text nor *, ** or {name}`,
        );
      }
      return segment.replace(/[.+$()|[\]{}^?*\\]/g, "\\$&");
    });
  // Made of characters that are listed, without choices that overlap: its time grows with the path's length alone.
  const form = new RegExp(`^/${segments.join("/")}$`);
  return (path) => form.test(path);
}
