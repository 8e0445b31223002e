CREATE TABLE "schedules" (
	"pipeline" text PRIMARY KEY NOT NULL,
	"decided_until" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ticks" (
	"pipeline" text NOT NULL,
	"due_at" timestamp with time zone NOT NULL,
	"start_at" timestamp with time zone NOT NULL,
	"run_id" uuid NOT NULL,
	"state" text NOT NULL,
	"decided_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "ticks_pkey" PRIMARY KEY("pipeline","due_at")
);
--> statement-breakpoint
CREATE INDEX "ticks_due_idx" ON "ticks" USING btree ("pipeline","start_at") WHERE "ticks"."state" = 'due';--> statement-breakpoint
COMMENT ON TABLE schedules IS 'Pipelines that workers serve by a schedule';--> statement-breakpoint
COMMENT ON COLUMN schedules.pipeline IS 'The name of the pipeline';--> statement-breakpoint
COMMENT ON COLUMN schedules.decided_until IS 'Up to here it has been decided what becomes of the ticks of the schedule';--> statement-breakpoint
COMMENT ON TABLE ticks IS 'The ticks of schedules, and what became of each';--> statement-breakpoint
COMMENT ON COLUMN ticks.pipeline IS 'The pipeline that the tick runs';--> statement-breakpoint
COMMENT ON COLUMN ticks.due_at IS 'When the schedule says it runs';--> statement-breakpoint
COMMENT ON COLUMN ticks.decided_at IS 'When it was decided what becomes of it';--> statement-breakpoint
COMMENT ON COLUMN ticks.start_at IS 'When the tick may start: due_at and the jitter of this tick';--> statement-breakpoint
COMMENT ON COLUMN ticks.run_id IS 'The ID that the run of this tick has, or will have';--> statement-breakpoint
COMMENT ON COLUMN ticks.state IS 'due until its run has begun, begun, skipped: the run before had not ended, missed: no worker ran, paused';
