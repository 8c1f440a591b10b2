"use client";
import { useState } from "react";
import type { ApiError } from "../../server/contract/index.ts";
import { toApiError } from "./api.ts";

/** The write of a dialog: what it was refused for, and whether it is under way. One that went through closes its dialog, and stays under way until then. */
export function useSubmit() {
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const submit = async (write: () => Promise<void>): Promise<void> => {
    setBusy(true);
    try {
      await write();
    } catch (cause) {
      setError(toApiError(cause));
      setBusy(false);
    }
  };
  return { error, busy, submit };
}
