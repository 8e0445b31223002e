import { unpublishedKept } from "@sluice/core/sink"

/** The statement that reads, newest first, the runs of a pipeline that were ended unpublished and are kept for being published. */
export const keptUnpublished = (pipeline: string): string =>
  `SELECT * FROM (
     SELECT * FROM runs WHERE pipeline = ${pipeline} AND finished_at IS NOT NULL AND published_at IS NULL
       AND receipt ? 'unpublished'
     ORDER BY started_at DESC, run_id DESC LIMIT ${unpublishedKept.runs}) AS newest
   WHERE finished_at > now() - interval '${unpublishedKept.days} days'`
