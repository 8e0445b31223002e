import { isTerminal } from "@sluice/contract"
import { type JobHistory, type JobState, mapStates } from "./JobHistory.ts"

/** The results of an ended job come some polls after its counters: the last rows before are shown until then. */
export const laggingResults = (polls: number, history: JobHistory): JobHistory => {
  let endedAt: number | undefined
  let before: JobState | undefined
  return {
    at: (poll) => {
      const state = history.at(poll)
      if (state === undefined || !isTerminal(state.status)) {
        before = state ?? before
        return state
      }
      endedAt ??= poll
      return poll - endedAt < polls ? { ...state, rows: before?.rows ?? { length: 0, slice: () => [] } } : state
    }
  }
}

/** The API does not know the job from one poll to another, and then it does again. */
export const forgottenBetween = (from: number, to: number, history: JobHistory): JobHistory => ({
  at: (poll) => (poll >= from && poll < to ? undefined : history.at(poll))
})

/** The counters go back by so much once the job has ended, for some polls or for good. */
export const fallingCounters = (by: number, polls: number, history: JobHistory): JobHistory => {
  let endedAt: number | undefined
  return mapStates(history, (state, poll) => {
    if (!isTerminal(state.status)) return state
    endedAt ??= poll
    return poll - endedAt < polls ? { ...state, completed: Math.max(0, state.completed - by) } : state
  })
}
