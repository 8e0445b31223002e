ALTER TABLE "segments" ADD COLUMN "tally" jsonb;--> statement-breakpoint
COMMENT ON COLUMN segments.tally IS 'How many of its records completed and failed, and how many of the completed were without a field that expectations can ask for; null where an earlier build wrote it';
