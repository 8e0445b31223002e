import { Effect, Stream } from "effect"

/**
 * Does work for each member of a stream, some at once, in the order it ends. After a failure nothing more is begun; what is in
 * work has been paid for, so it ends and is delivered, and then the stream fails as the first failure did.
 */
export const eachSettled =
  <A, B, E, R>(concurrency: number, work: (member: A) => Effect.Effect<ReadonlyArray<B>, E, R>) =>
  <E2, R2>(members: Stream.Stream<A, E2, R2>): Stream.Stream<B, E | E2, R | R2> =>
    Stream.suspend(() => {
      const failures: Array<E> = []
      const attempt = (member: A) =>
        Effect.suspend(() => (failures.length > 0 ? Effect.succeed([]) : work(member))).pipe(
          Effect.catch((failure) =>
            Effect.sync((): ReadonlyArray<B> => {
              failures.push(failure)
              return []
            })
          )
        )
      return members.pipe(
        Stream.takeWhile(() => failures.length === 0),
        Stream.mapEffect(attempt, { concurrency, unordered: true }),
        Stream.flattenIterable,
        Stream.concat(Stream.suspend(() => (failures.length > 0 ? Stream.fail(failures[0]!) : Stream.empty)))
      )
    })
