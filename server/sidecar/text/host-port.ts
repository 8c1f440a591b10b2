/** `ip:port`, with brackets around IPv6: how Envoy writes addresses. */
export const hostPort = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
