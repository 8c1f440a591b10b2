/** The mark of Limpid. */
export function Drop() {
  return (
    <svg width="20" height="20" viewBox="0 0 24 24" aria-hidden="true">
      <path
        d="M12 2.5c4 5 6.5 8 6.5 11.5a6.5 6.5 0 01-13 0C5.5 10.5 8 7.5 12 2.5z"
        fill="none"
        stroke="var(--accent)"
        strokeWidth="2"
      />
      <circle cx="12" cy="14.2" r="2.4" fill="var(--accent)" />
    </svg>
  );
}
