import type { Metrics } from "../metrics.ts";

/** Under the names that istiod has for them. https://istio.io/latest/docs/reference/commands/pilot-discovery/#metrics */
export interface RegistrationCounters {
  registered(): void;
  updated(): void;
  unregistered(): void;
  removed(): void;
  failed(): void;
}

export function registrationCounters(metrics: Metrics): RegistrationCounters {
  const counter = (name: string, help: string) => {
    const count = metrics.counter(name, help);
    count(0);
    return () => count();
  };
  return {
    registered: counter("auto_registration_success_total", "Workloads that registered for a WorkloadGroup."),
    updated: counter("auto_registration_updates_total", "Registered workloads whose proxies came back."),
    unregistered: counter("auto_registration_unregister_total", "Registered workloads whose proxies left."),
    removed: counter("auto_registration_deletes_total", "Registered workloads that were removed after their grace."),
    failed: counter("auto_registration_errors_total", "Registrations that were refused."),
  };
}
