/** Whether a token is for one of those that are named; nobody named: for everybody. A scheme and a slash at the end make no difference, as in Envoy. */
export function audienceTest(named: readonly string[]): (audiences: readonly string[]) => boolean {
  const allowed = new Set(named.map(bare));
  return (audiences) => allowed.size === 0 || audiences.some((audience) => allowed.has(bare(audience)));
}

const bare = (audience: string): string => audience.replace(/^https?:\/\//, "").replace(/\/$/, "");
