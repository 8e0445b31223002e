// The part of the package that is used here; it ships no types.
declare module "fs-native-extensions" {
  const native: {
    /** Locks a whole open file for its open description: false where another description has it locked. */
    readonly tryLock: (descriptor: number) => boolean
  }
  export default native
}
