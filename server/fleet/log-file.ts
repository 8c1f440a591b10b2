import { join } from "node:path";

/** Where a part's output goes; what was there before is beside it, as `*.log.1`. */
export const logFileOf = (data: string, part: string): string => join(data, "logs", `${part.replaceAll(" ", "-")}.log`);
