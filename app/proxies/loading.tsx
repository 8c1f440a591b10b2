import { ListSkeleton } from "../../components/list/list-skeleton.tsx";
import { FleetFiguresSkeleton } from "../../components/proxy-sync/fleet-figures.tsx";

export default function Loading() {
  return <ListSkeleton rows={7} columns={10} rowHeight={53} before={<FleetFiguresSkeleton />} />;
}
