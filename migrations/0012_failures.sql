ALTER TABLE "segments" ADD COLUMN "failures" jsonb;--> statement-breakpoint
COMMENT ON COLUMN segments.failures IS 'Its failed pages by error code: how many, and the first few of their URLs; null for none';
