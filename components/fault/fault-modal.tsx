"use client";
import { Modal } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { ApiError } from "../../server/contract/index.ts";
import { toApiError } from "../lib/api.ts";
import { useServiceMetrics, useServices } from "../lib/queries.ts";
import { startFault } from "../lib/writes.ts";
import styles from "./fault.module.css";
import { type FaultDraft, firstDraft, toRequest } from "./fault-draft.ts";
import { FaultForm, ServiceChoice } from "./fault-form.tsx";

type ServiceName = { namespace: string; name: string };

export interface FaultModalProps {
  /** Null: to be chosen first. */
  service: ServiceName | null;
  onChoose?: (service: ServiceName) => void;
  onClose: () => void;
}

/** The fault with a fuse, over whatever page it was asked for on. */
export function FaultModal({ service, onChoose, onClose }: FaultModalProps) {
  const t = useTranslations("faults");
  return (
    <Modal
      opened
      onClose={onClose}
      size={560}
      classNames={{ content: styles.modal ?? "", header: styles.modalHeader ?? "", body: styles.modalBody ?? "" }}
      title={service ? t("title-of", { service: service.name }) : t("title-new")}
      closeButtonProps={{ "aria-label": t("cancel") }}
    >
      {service ? <Editor key={`${service.namespace}/${service.name}`} service={service} onClose={onClose} /> : null}
      {!service && onChoose && <Choice onChoose={onChoose} />}
    </Modal>
  );
}

function Choice({ onChoose }: { onChoose: (service: ServiceName) => void }) {
  const services = useServices(60).data?.services ?? [];
  return <ServiceChoice services={services.filter(({ external }) => !external)} onChoose={onChoose} />;
}

function Editor({ service, onClose }: { service: ServiceName; onClose: () => void }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<FaultDraft>(firstDraft);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const metrics = useServiceMetrics({ ...service, windowSec: 60 }).data;
  const request = toRequest(draft, service);
  const plan = usePlan(request, busy);
  const change = (next: FaultDraft) => {
    setFailure(null);
    setDraft(next);
  };
  const start = async () => {
    if (!request || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      await startFault(request, false);
      for (const name of ["faults", "status", "changes", "routing", "push"])
        void client.invalidateQueries({ queryKey: [name] });
      onClose();
    } catch (cause) {
      setFailure(toApiError(cause));
      setBusy(false);
    }
  };
  return (
    <FaultForm
      draft={draft}
      onChange={change}
      metrics={metrics}
      plan={request ? plan.data : null}
      error={failure ?? (request ? plan.error : null)}
      ready={request !== null}
      busy={busy}
      onStart={() => void start()}
      onCancel={onClose}
    />
  );
}

/** What starting it would write. */
function usePlan(request: ReturnType<typeof toRequest>, paused: boolean) {
  const [settled] = useDebouncedValue(JSON.stringify(request), 200);
  const query = useQuery({
    queryKey: ["fault-plan", settled],
    queryFn: () => startFault(JSON.parse(settled), true),
    enabled: settled !== "null" && !paused,
    retry: false,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
  return { data: query.isError ? null : (query.data ?? null), error: query.error ? toApiError(query.error) : null };
}
