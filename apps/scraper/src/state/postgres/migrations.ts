/**
 * The statements that make the schema, one step after the other. A step that was released is never edited; steps are added at
 * the end. `text` holds a text as the pieces it was appended in, each under the byte at which it begins.
 */
export const migrations: ReadonlyArray<string> = [
  `CREATE TABLE sluice_scraper.text (
    path text COLLATE "C" NOT NULL,
    at bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (path, at)
  );
  CREATE TABLE sluice_scraper.holder (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    epoch bigint NOT NULL
  );
  INSERT INTO sluice_scraper.holder (epoch) VALUES (0);`
]

/** What is there before any step. */
export const ground = `
  CREATE SCHEMA IF NOT EXISTS sluice_scraper;
  CREATE TABLE IF NOT EXISTS sluice_scraper.migration (
    id integer PRIMARY KEY,
    applied_at timestamptz NOT NULL DEFAULT now()
  )`
