CREATE TABLE "notices" (
	"notice_id" uuid PRIMARY KEY NOT NULL,
	"run_id" uuid NOT NULL,
	"epoch" integer NOT NULL,
	"pipeline" text NOT NULL,
	"target" text NOT NULL,
	"event" text NOT NULL,
	"receipt" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"settled_at" timestamp with time zone,
	CONSTRAINT "notices_identity" UNIQUE("run_id","epoch","target","event")
);
--> statement-breakpoint
CREATE INDEX "notices_pipeline_idx" ON "notices" USING btree ("pipeline","created_at");--> statement-breakpoint
COMMENT ON TABLE notices IS 'What somebody is to be told of the end of a run: written with that end, and settled once it was delivered';--> statement-breakpoint
COMMENT ON COLUMN notices.notice_id IS 'The same at every attempt to deliver it, for receivers to tell repetitions by';--> statement-breakpoint
COMMENT ON COLUMN notices.run_id IS 'The run that ended';--> statement-breakpoint
COMMENT ON COLUMN notices.pipeline IS 'Its pipeline';--> statement-breakpoint
COMMENT ON COLUMN notices.event IS 'How the attempt ended, or what else is told of it: recovered, quarantine, slow';--> statement-breakpoint
COMMENT ON COLUMN notices.created_at IS 'When the attempt ended';--> statement-breakpoint
COMMENT ON COLUMN notices.epoch IS 'The attempt of the run that ended';--> statement-breakpoint
COMMENT ON COLUMN notices.target IS 'Who is told, by the name of an entry of notify';--> statement-breakpoint
COMMENT ON COLUMN notices.receipt IS 'The receipt of the attempt';--> statement-breakpoint
COMMENT ON COLUMN notices.attempts IS 'How often it could not be delivered';--> statement-breakpoint
COMMENT ON COLUMN notices.settled_at IS 'When it was delivered or given up; null while it waits';
