"use client";
import { Modal } from "@mantine/core";
import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { ApiError, FaultSource } from "../../server/contract/index.ts";
import { asDryRun } from "../config/dry-run.ts";
import { toApiError } from "../lib/api.ts";
import { useFaults, useServiceMetrics, useServices } from "../lib/queries.ts";
import { startFault } from "../lib/writes.ts";
import styles from "./fault.module.css";
import { type FaultDraft, firstDraft, toRequest } from "./fault-draft.ts";
import { FaultForm, ServiceChoice } from "./fault-form.tsx";

type ServiceName = { namespace: string; name: string };

export interface FaultModalProps {
  /** Null: to be chosen first. `name` is its hostname. */
  service: ServiceName | null;
  /** What people call it. */
  title?: string;
  /** Limited to this caller at first. */
  from?: FaultSource | null;
  onChoose?: (service: ServiceName) => void;
  onClose: () => void;
}

/** The fault with a fuse, over whatever page it was asked for on. */
export function FaultModal({ service, title = service?.name, from = null, onChoose, onClose }: FaultModalProps) {
  const t = useTranslations("faults");
  const phone = useMediaQuery("(max-width: 640px)", false);
  return (
    <Modal
      opened
      onClose={onClose}
      size={560}
      fullScreen={phone}
      classNames={{ content: styles.modal ?? "", header: styles.modalHeader ?? "", body: styles.modalBody ?? "" }}
      title={service ? t("title-of", { service: title ?? service.name }) : t("title-new")}
      closeButtonProps={{ "aria-label": t("cancel") }}
    >
      {service ? (
        <Editor
          // By what it is called: its hostname may be known a moment later, and what is written by then must not be lost.
          key={`${service.namespace}/${title ?? service.name}`}
          service={service}
          title={title ?? service.name}
          from={from}
          onClose={onClose}
        />
      ) : null}
      {!service && onChoose && <Choice onChoose={onChoose} />}
    </Modal>
  );
}

function Choice({ onChoose }: { onChoose: (service: ServiceName) => void }) {
  const services = useServices(60).data?.services ?? [];
  return <ServiceChoice services={services.filter(({ external }) => !external)} onChoose={onChoose} />;
}

interface EditorProps {
  service: ServiceName;
  title: string;
  from: FaultSource | null;
  onClose: () => void;
}

function Editor({ service, title, from, onClose }: EditorProps) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<FaultDraft>({ ...firstDraft, source: { on: from !== null, caller: from } });
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const metrics = useServiceMetrics({ ...service, windowSec: 60 }).data;
  const request = toRequest(draft, service);
  const burning = (useFaults().data?.faults ?? []).filter(
    (fault) =>
      fault.namespace === service.namespace &&
      (fault.hostname === null ? fault.service === title : fault.hostname === service.name),
  );
  // What burns meanwhile, or no more, decides whether this one can start.
  const plan = usePlan(request, burning.map(({ id }) => id).join(), busy);
  const change = (next: FaultDraft) => {
    setFailure(null);
    setDraft(next);
  };
  const start = async () => {
    if (!request || busy) return;
    setBusy(true);
    setFailure(null);
    try {
      await startFault(request, { dryRun: false });
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
      burning={burning}
      error={failure ?? (request ? plan.error : null)}
      ready={request !== null}
      busy={busy}
      onStart={() => void start()}
      onCancel={onClose}
    />
  );
}

/** What starting it would write. */
function usePlan(request: ReturnType<typeof toRequest>, burning: string, paused: boolean) {
  const [settled] = useDebouncedValue(JSON.stringify(request), 200);
  const query = useQuery({
    queryKey: ["fault-plan", settled, burning],
    queryFn: () => startFault(JSON.parse(settled), { dryRun: true, envoy: true }),
    enabled: settled !== "null" && !paused,
    ...asDryRun,
    staleTime: 10_000,
    placeholderData: keepPreviousData,
  });
  return { data: query.isError ? null : (query.data ?? null), error: query.error ? toApiError(query.error) : null };
}
