"use client";
import { type RefObject, useEffect, useRef } from "react";

/** For a text field whose text is kept elsewhere: it follows what is changed there; while somebody writes in it, it is theirs. */
export function useFollowing(text: string): RefObject<HTMLInputElement | null> {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (input.current && input.current !== document.activeElement) input.current.value = text;
  }, [text]);
  return input;
}
