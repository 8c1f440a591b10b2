import styles from "./code.module.css";

/** What CodeMirror will show, at the size that it will have. */
export function PlainCode({ text }: { text: string }) {
  return (
    <pre className={styles.plain} aria-hidden>
      {text}
    </pre>
  );
}
