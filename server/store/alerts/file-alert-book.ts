import { join } from "node:path";
import { z } from "zod";
import type { AlertBook, Leadership } from "../../alerts/book.ts";
import { Notice, ReceiverRequest } from "../../contract/index.ts";
import { tryLockFile } from "../../lib/file-lock.ts";
import { jsonFile } from "../../lib/json-file.ts";

const NoticeFile = z.object({ notices: z.array(Notice) });
const ReceiverFile = z.object({ receivers: z.array(ReceiverRequest) });

/** Of dashboards with one data folder. The receivers' file its owner alone may read: a webhook's address is a key. */
export function fileAlertBook(data: string): AlertBook {
  const noticeFile = jsonFile(join(data, "alerts.json"));
  const receiverFile = jsonFile(join(data, "alert-receivers.json"));
  const receivers = (): ReceiverRequest[] => ReceiverFile.parse(receiverFile.read() ?? { receivers: [] }).receivers;
  const others = (name: string): ReceiverRequest[] => receivers().filter((receiver) => receiver.name !== name);
  return {
    async lead() {
      const release = tryLockFile(join(data, "alerts.lock"));
      return release && leadershipOf(release, (notices) => noticeFile.write({ notices }));
    },
    notices: async () => NoticeFile.parse(noticeFile.read() ?? { notices: [] }).notices,
    receivers: async () => receivers(),
    async putReceiver(receiver, max) {
      const rest = others(receiver.name);
      if (rest.length >= max) return false;
      receiverFile.write({ receivers: [...rest, receiver].sort((a, b) => (a.name < b.name ? -1 : 1)) });
      return true;
    },
    async removeReceiver(name) {
      const rest = others(name);
      if (rest.length === receivers().length) return false;
      receiverFile.write({ receivers: rest });
      return true;
    },
    close: async () => undefined,
  };
}

function leadershipOf(release: () => void, write: (notices: readonly Notice[]) => void): Leadership {
  let isOver = false;
  return {
    holds: async () => !isOver,
    async keep(notices) {
      // The next one's file is not this one's to write.
      if (isOver) throw new Error("another dashboard leads");
      write(notices);
    },
    async resign() {
      isOver = true;
      release();
    },
  };
}
