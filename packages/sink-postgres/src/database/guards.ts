/**
 * Failures that a setting of the server's has caused, which somebody chose as a guard: by SQLSTATE, and where one stands for
 * several, by the setting that the message names. Sluice keeps to them and says which it was.
 */
const guards: Readonly<Record<string, ReadonlyArray<{ readonly words: RegExp; readonly says: string }>>> = {
  "57014": [
    { words: /statement timeout/, says: ended("statement_timeout") },
    { words: /lock timeout/, says: ended("lock_timeout") },
    { words: /user request/, says: "somebody has cancelled the statement at the server" }
  ],
  "55P03": [{ words: /lock timeout/, says: ended("lock_timeout") }],
  "25P03": [{ words: /./, says: ended("idle_in_transaction_session_timeout") }],
  "25P04": [{ words: /./, says: ended("transaction_timeout") }],
  "57P05": [{ words: /./, says: ended("idle_session_timeout") }],
  "53400": [
    {
      words: /temp_file_limit/,
      says: "the server's setting temp_file_limit refused the statement; raise it for the role"
    }
  ]
}

function ended(setting: string): string {
  return `the server's setting ${setting} ended it; raise it for the role (ALTER ROLE … SET ${setting} = …), and run again`
}

/** What to say of a failure that a guard of the server's has caused; undefined for every other. */
export const explainGuard = (sqlState: string, message: string): string | undefined =>
  guards[sqlState]?.find(({ words }) => words.test(message))?.says
