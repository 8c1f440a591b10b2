import { ListSkeleton } from "../../../components/list/list-skeleton.tsx";

export default function Loading() {
  return <ListSkeleton rows={12} columns={2} rowHeight={28} />;
}
