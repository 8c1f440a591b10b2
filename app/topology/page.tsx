export default function Topology() {
  return null;
}
