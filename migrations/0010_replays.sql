ALTER TABLE "runs" ADD COLUMN "replayed_from" text;--> statement-breakpoint
COMMENT ON COLUMN runs.replayed_from IS 'The run of another pipeline whose kept segments this run loaded; null for a run of the pipeline itself';--> statement-breakpoint
-- Until now the ID alone told a replay: it has version 8, and is a hash over the replayed run and the pipeline.
UPDATE runs r SET replayed_from = coalesce(
  (SELECT o.run_id::text FROM runs o
   WHERE left(encode(sha256(convert_to(o.run_id::text || E'\n' || r.pipeline, 'UTF8')), 'hex'), 12) = replace(left(r.run_id::text, 13), '-', '')
   LIMIT 1),
  'unknown')
WHERE substr(r.run_id::text, 15, 1) = '8';
