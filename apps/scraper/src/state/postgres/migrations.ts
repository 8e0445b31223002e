import type { Migration } from "@sluice/migrations"

/** The steps of the schema. `text` holds a text as the pieces it was appended in, each under the byte at which it begins. */
export const migrations: ReadonlyArray<Migration> = [
  {
    id: "1",
    sql: `CREATE TABLE sluice_scraper.text (
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
  }
]
