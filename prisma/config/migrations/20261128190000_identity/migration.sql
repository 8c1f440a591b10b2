-- AlterTable
ALTER TABLE "state" ADD COLUMN "identity" TEXT;
ALTER TABLE "state" ADD COLUMN "checkedAt" BIGINT;
