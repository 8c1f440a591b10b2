-- How many lines each application has, and which of them are its oldest.
CREATE INDEX "log_service_at_us_idx" ON "log"("service", "at_us");
