CREATE TABLE "dead_letters" (
	"letter_no" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "dead_letters_letter_no_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"run_id" uuid NOT NULL,
	"sink" text NOT NULL,
	"job_id" text NOT NULL,
	"page_key" bigint NOT NULL,
	"url" text NOT NULL,
	"reason" text NOT NULL,
	"detail" text NOT NULL,
	"raw" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "dead_letters_identity" UNIQUE("run_id","sink","job_id","page_key")
);
--> statement-breakpoint
CREATE TABLE "jobs" (
	"job_no" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "jobs_job_no_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"job_id" text NOT NULL,
	"run_id" uuid NOT NULL,
	"kind" text,
	"url" text,
	"status" text,
	"first_seen_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "jobs_job_id_key" UNIQUE("job_id")
);
--> statement-breakpoint
CREATE TABLE "links" (
	"set_no" integer NOT NULL,
	"page_key" bigint NOT NULL,
	"position" integer NOT NULL,
	"url" text NOT NULL,
	CONSTRAINT "links_pkey" PRIMARY KEY("set_no","page_key","position")
);
--> statement-breakpoint
CREATE TABLE "page_metadata" (
	"set_no" integer NOT NULL,
	"page_key" bigint NOT NULL,
	"job_no" integer NOT NULL,
	"http_status" integer,
	"duration_ms" integer,
	"retry_count" integer,
	"tokens_charged" integer,
	CONSTRAINT "page_metadata_pkey" PRIMARY KEY("set_no","page_key")
);
--> statement-breakpoint
CREATE TABLE "page_sets" (
	"set_no" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "page_sets_set_no_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"pipeline" text NOT NULL,
	"sink" text NOT NULL,
	"mode" text NOT NULL,
	"job_no" integer,
	CONSTRAINT "page_sets_identity" UNIQUE NULLS NOT DISTINCT("pipeline","sink","mode","job_no"),
	CONSTRAINT "page_sets_mode_check" CHECK (("page_sets"."mode" = 'append') = ("page_sets"."job_no" is not null) and "page_sets"."mode" in ('append', 'merge'))
);
--> statement-breakpoint
CREATE TABLE "pages" (
	"set_no" integer NOT NULL,
	"page_key" bigint NOT NULL,
	"job_no" integer NOT NULL,
	"url" text NOT NULL,
	"parent_url" text,
	"depth" integer,
	"input_index" integer,
	"status" text NOT NULL,
	"error_code" text,
	"error_message" text,
	"markdown" text,
	"html" text,
	"fingerprint" bigint,
	"landed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "pages_pkey" PRIMARY KEY("set_no","page_key"),
	CONSTRAINT "pages_status_check" CHECK ("pages"."status" in ('completed', 'failed', 'cancelled'))
);
--> statement-breakpoint
CREATE TABLE "runs" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"pipeline" text NOT NULL,
	"config_hash" text NOT NULL,
	"status" text DEFAULT 'running' NOT NULL,
	"epoch" integer DEFAULT 1 NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	"receipt" jsonb
);
--> statement-breakpoint
CREATE TABLE "segments" (
	"run_id" uuid NOT NULL,
	"sink" text NOT NULL,
	"seq" integer NOT NULL,
	"epoch" integer NOT NULL,
	"bytes" bigint NOT NULL,
	"keys" "bytea" NOT NULL,
	"pages" integer NOT NULL,
	"links" integer NOT NULL,
	"page_metadata" integer NOT NULL,
	"token_summaries" integer NOT NULL,
	"dead_letters" integer NOT NULL,
	"committed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "segments_pkey" PRIMARY KEY("run_id","sink","seq")
);
--> statement-breakpoint
CREATE TABLE "submissions" (
	"run_id" uuid NOT NULL,
	"ordinal" integer NOT NULL,
	"kind" text NOT NULL,
	"url" text NOT NULL,
	"request_hash" text NOT NULL,
	"submitted_at" timestamp with time zone NOT NULL,
	"job_id" text,
	CONSTRAINT "submissions_pkey" PRIMARY KEY("run_id","ordinal")
);
--> statement-breakpoint
CREATE TABLE "token_summaries" (
	"job_no" integer PRIMARY KEY NOT NULL,
	"pages_discovered" bigint NOT NULL,
	"pages_completed" bigint NOT NULL,
	"pages_failed" bigint NOT NULL,
	"pages_cancelled" bigint NOT NULL,
	"tokens_charged" bigint NOT NULL,
	"tokens_reserved" bigint NOT NULL,
	"observed_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "jobs_run_id_idx" ON "jobs" USING btree ("run_id");--> statement-breakpoint
CREATE INDEX "links_url_hash_idx" ON "links" USING btree (hashtextextended("url", 0));--> statement-breakpoint
CREATE INDEX "page_metadata_job_no_idx" ON "page_metadata" USING btree ("job_no");--> statement-breakpoint
CREATE INDEX "pages_url_idx" ON "pages" USING hash ("url");--> statement-breakpoint
CREATE INDEX "pages_job_no_idx" ON "pages" USING btree ("job_no");--> statement-breakpoint
CREATE INDEX "runs_started_at_idx" ON "runs" USING btree ("started_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "runs_pipeline_idx" ON "runs" USING btree ("pipeline","started_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "token_summaries_observed_at_idx" ON "token_summaries" USING btree ("observed_at");