import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { AlertBook } from "../alerts/book.ts";
import { fileAlertBook } from "./alerts/file-alert-book.ts";

export interface AlertBookPlace {
  /** The data folder. */
  data: string;
  /** As `ConfigStorePlace.database`: where the config is kept on a server, alerts are, too. Its tables are there once the access store is open. */
  database: string | undefined;
}

export function openAlertBook({ data, database }: AlertBookPlace): AlertBook {
  if (!database) return fileAlertBook(data);
  let opened: Promise<AlertBook> | undefined;
  const book = (): Promise<AlertBook> => {
    opened ??= onServer(data, database).catch((error) => {
      opened = undefined; // asked again the next time
      throw error;
    });
    return opened;
  };
  return {
    lead: async () => (await book()).lead(),
    notices: async () => (await book()).notices(),
    receivers: async () => (await book()).receivers(),
    putReceiver: async (receiver, max) => (await book()).putReceiver(receiver, max),
    removeReceiver: async (name) => (await book()).removeReceiver(name),
    close: async () => (await opened)?.close(),
  };
}

/** Receivers that were this machine's alone before its config moved to a server go there, once; those of the server stay as they are. */
async function onServer(data: string, database: string): Promise<AlertBook> {
  const { postgresAlertBook } = await import("./alerts/postgres-alert-book.ts"); // few need its driver
  const book = postgresAlertBook(database);
  const own = join(data, "alert-receivers.json");
  if (!existsSync(own)) return book;
  try {
    const known = new Set((await book.receivers()).map(({ name }) => name));
    for (const receiver of await fileAlertBook(data).receivers())
      if (!known.has(receiver.name)) await book.putReceiver(receiver, Number.MAX_SAFE_INTEGER);
    renameSync(own, `${own}.moved`);
  } catch (error) {
    await book.close();
    throw error;
  }
  return book;
}
