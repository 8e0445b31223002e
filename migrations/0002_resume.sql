ALTER TABLE "runs" ADD COLUMN "holder" text;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "lease_until" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "session" text;--> statement-breakpoint
CREATE INDEX "submissions_job_id_idx" ON "submissions" USING btree ("job_id");--> statement-breakpoint
COMMENT ON COLUMN runs.holder IS 'The process that carries the run out: host, process id and a word of its own; null when none does';
--> statement-breakpoint
COMMENT ON COLUMN runs.lease_until IS 'Until when no other process may take the run over, while its holder lives';
--> statement-breakpoint
COMMENT ON COLUMN runs.session IS 'The name its process''s connections go by, so that whoever takes the run over can end them';
--> statement-breakpoint
COMMENT ON COLUMN runs.status IS 'running until the run has ended, then how it ended; with finished_at null, how its last attempt was left';
