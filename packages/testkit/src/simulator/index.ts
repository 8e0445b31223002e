export type { Behaviour, Oversize, RefusalName } from "./Behaviour.ts"
export type { Json, Members } from "./bodies.ts"
export { type ChargedJob, ChargeLedger, type EndedPages, type ReceivedRequest } from "./ChargeLedger.ts"
export type { ProfileAnswers } from "./driftRules.ts"
export * from "./FaultProfiles.ts"
export * from "./Faults.ts"
export * from "./JobHistory.ts"
export type { Listing, Listings } from "./Listing.ts"
export * from "./Misbehaviour.ts"
export { type Misbehaviour, type MisbehaviourName, misbehaviourNames, misbehaviours } from "./Misbehaviours.ts"
export {
  arbitraryHistory,
  arbitraryMovingOptions,
  type MovingHistory,
  type MovingOptions,
  movingHistory,
  rowOrders
} from "./MovingHistory.ts"
export { type Paging, sliceOf } from "./Paging.ts"
export { makeRng, type Rng, roll, shuffled } from "./Rng.ts"
export { type FaultTiming, RulePlan } from "./RulePlan.ts"
export { type ListOrder, reordering } from "./reordering.ts"
export type { SentItem } from "./reshaped.ts"
export type { ExtractPlan, SimulatorOptions } from "./SimulatedApi.ts"
export { Simulator, type SimulatorInProcess } from "./Simulator.ts"
export * from "./SiteModel.ts"
export { type ProfiledOptions, simulatorOf } from "./simulatorOf.ts"
