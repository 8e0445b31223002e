ALTER TABLE "runs" ADD COLUMN "superseded_receipts" jsonb;--> statement-breakpoint
COMMENT ON COLUMN runs.superseded_receipts IS 'The earlier receipts of a run that ended and was opened again, oldest first';
