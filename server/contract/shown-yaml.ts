/** Object YAML as the dashboard's API gives it (metadata two spaces deep), taken apart as text so that nothing else in it moves. */
const filledIn = /^ {2}(uid|creationTimestamp|generation|resourceVersion): .*\n/gm;

/** What `kubectl apply` remembers for itself: the whole object once more. The server keeps it when it is not sent back. */
const lastApplied = /^ {4}"?kubectl\.kubernetes\.io\/last-applied-configuration"?:.*\n(?: {5,}.*\n|\n)*/m;
/** Without anything in it. */
const emptyAnnotations = /^ {2}annotations:\n(?! {4})/m;

/** Without what the store and kubectl fill in. */
export function withoutFilledIn(yaml: string): string {
  const end = yaml.search(/^spec:/m);
  const head = end < 0 ? yaml : yaml.slice(0, end);
  return head.replace(filledIn, "").replace(lastApplied, "").replace(emptyAnnotations, "") + yaml.slice(head.length);
}
