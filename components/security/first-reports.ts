import type {
  CertificateReport,
  CoverageReport,
  MutualTlsReport,
  MutualTlsTrend,
  PolicyReport,
  RefusalReport,
  RevocationPreview,
  StrictPreview,
} from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";

type Read<T> = Promise<Settled<T>>;

/** What the server has read for the address that it was asked for: of its tab, and of what is opened on it. */
export interface FirstReports {
  mutualTls?: Read<MutualTlsReport>;
  trend?: Read<MutualTlsTrend>;
  strict?: Read<StrictPreview>;
  coverage?: Read<CoverageReport>;
  refusals?: Read<RefusalReport>;
  policies?: Read<PolicyReport>;
  certificates?: Read<CertificateReport>;
  revocation?: Read<RevocationPreview>;
}
