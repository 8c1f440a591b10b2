export interface ListenAddress {
  readonly address: string;
  readonly port: number;
}
