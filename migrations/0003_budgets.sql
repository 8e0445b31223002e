ALTER TABLE "runs" ADD COLUMN "tokens" bigint;--> statement-breakpoint
ALTER TABLE "submissions" ADD COLUMN "tokens" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
COMMENT ON COLUMN runs.tokens IS 'What the run cost, by its jobs'' last counters; null until it has ended';
--> statement-breakpoint
COMMENT ON COLUMN submissions.tokens IS 'The most it may cost; 0 where that was not recorded';
