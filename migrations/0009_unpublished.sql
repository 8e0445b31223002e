ALTER TABLE "page_sets" ADD COLUMN "completed_pages" integer;--> statement-breakpoint
ALTER TABLE "runs" ADD COLUMN "published_at" timestamp with time zone;--> statement-breakpoint
COMMENT ON COLUMN page_sets.completed_pages IS 'In replace mode how many pages of a published set completed; null where they have to be counted';
COMMENT ON COLUMN page_sets.state IS 'current: readers see it; in replace mode also open: its run is not published, superseded: a later run is, or the run was not published for too long, and its rows are being removed, removed: they are';
COMMENT ON COLUMN runs.published_at IS 'When a run that ended unpublished was published after all (sluice publish); null for every other';
